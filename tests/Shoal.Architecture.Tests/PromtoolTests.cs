using System.ComponentModel;

namespace Shoal.Architecture.Tests;

/// <summary>Prometheus' own tool takes the alerts, and they fire when they should.</summary>
public sealed class PromtoolTests : IDisposable
{
    private const string Rules = "alerts.yaml";
    private const string Tries = "alerts.test.yaml";

    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-alerts-").FullName;

    [Fact]
    public async Task The_alerts_are_rules_and_fire_when_they_should()
    {
        await AssertPassesAsync("check", Rules, alerts => alerts);
        await AssertPassesAsync("test", Tries, alerts => alerts);
    }

    [Theory]
    [InlineData("check", Rules, "absent(up", "absnt(up")]
    [InlineData("test", Tries, "expr: up{job=\"shoal\"} == 0\n        for: 1m", "expr: up{job=\"shoal\"} == 0\n        for: 30m")]
    [InlineData("test", Tries, "The silo {{ $labels.instance }} does not answer.", "{{ $labels.instance }} does not answer.")]
    public async Task A_slip_is_found(string command, string file, string right, string wrong) =>
        Assert.NotEqual(0, (await RunAsync(command, file, alerts => alerts.Contains(right, StringComparison.Ordinal) ? alerts.Replace(right, wrong, StringComparison.Ordinal) : throw new InvalidOperationException($"'{right}' is not in it."))).Code);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task AssertPassesAsync(string command, string file, Func<string, string> change)
    {
        (var code, var output, var complaints) = await RunAsync(command, file, change);
        Assert.True(code == 0, output + complaints);
    }

    private async Task<(int Code, string Output, string Complaints)> RunAsync(string command, string file, Func<string, string> change)
    {
        var source = Path.Combine(Repository.Root, "infra", "prometheus");
        File.Copy(Path.Combine(source, Tries), Path.Combine(_folder, Tries), overwrite: true);
        await File.WriteAllTextAsync(Path.Combine(_folder, Rules), change(await File.ReadAllTextAsync(Path.Combine(source, Rules))));
        try
        {
            return await Tool.RunAsync("promtool", command, "rules", Path.Combine(_folder, file));
        }
        catch (Win32Exception missing)
        {
            Assert.Skip($"promtool is not here ({missing.Message}): as root, apt-get install prometheus (infra/prerequisites.sh tools does it).");
            throw;
        }
    }
}
