using System.Diagnostics;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>The steps of the container image, run without a container: what is published starts, and its probes tell whether it is well.</summary>
[Collection("silo")]
public sealed class ImageTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-image-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_the_image_holds_starts_and_its_probes_tell_how_it_is()
    {
        Assert.Equal(0, await RunAsync(Script("publish.sh"), _folder.FullName));
        int[] ports = LoopbackPorts.Free(3);
        using Process silo = Programs.Start(
            "dotnet", "dotnet", Path.Combine(_folder.FullName, "silo", "Shoal.Silo.dll"), "--data", Path.Combine(_folder.FullName, "data"),
            "--http-port", $"{ports[0]}", "--silo-port", $"{ports[1]}", "--gateway-port", $"{ports[2]}", "--log", "Error");
        try
        {
            var clock = Stopwatch.StartNew();
            while (await RunAsync(Script("health.sh"), "ready", $"{ports[0]}") != 0)
            {
                Assert.True(clock.Elapsed < Patience && !silo.HasExited, "the silo did not become ready");
                await Task.Delay(200);
            }

            Assert.Equal(0, await RunAsync(Script("health.sh"), "live", $"{ports[0]}"));
            Assert.NotEqual(0, await RunAsync(Script("health.sh"), "nothing", $"{ports[0]}"));
            Assert.Equal(0, await RunAsync("dotnet", Path.Combine(_folder.FullName, "cli", "Shoal.Cli.dll"), "dataset", "list", "--silo", $"127.0.0.1:{ports[2]}"));
        }
        finally
        {
            silo.Kill();
            await silo.WaitForExitAsync();
        }

        Assert.NotEqual(0, await RunAsync(Script("health.sh"), "live", $"{ports[0]}"));
    }

    private static string Script(string name) => Path.Combine(Tree.Root, "infra", name);

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using Process process = Programs.Start("bash", program, arguments);
        // Not until its output ends: a build leaves servers behind that hold it open.
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
