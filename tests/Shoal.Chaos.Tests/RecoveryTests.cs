using Shoal.Benchmarks;
using Shoal.Chaos.Silo;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>Kills under load; and that each kind of fault would be seen.</summary>
[Collection("silo")]
public sealed class RecoveryTests : IDisposable
{
    private static readonly string[] Arguments = ["--log", "Critical", "--erase-seconds", "2"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-chaos-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_silo_that_is_killed_at_its_writes_keeps_every_promise()
    {
        RecoveryRun run = await RunAsync("Shoal.Silo", kills: 4);
        Assert.Equal((4, 0, 0L, 0, 0), (run.Ended.Values.Sum(), run.Lost, run.Doubled, run.Undeleted, run.Regressed));
        Assert.True(run.Acknowledged > 1_000 && run.Deleted > 0, $"{run.Acknowledged} acknowledged, {run.Deleted} deleted");
    }

    [Fact]
    public async Task So_does_one_that_keeps_everything_in_blobs()
    {
        await using AzuriteProcess emulator = new();
        string[] blobs = [.. Arguments, "--blobs", await emulator.ConnectionStringAsync(), "--container", "recovery"];
        RecoveryRun run = await RunAsync("Shoal.Silo", kills: 2, blobs, appendsWhole: true);
        Assert.Equal((2, 0, 0L, 0, 0), (run.Ended.Values.Sum(), run.Lost, run.Doubled, run.Undeleted, run.Regressed));
        Assert.True(run.Acknowledged > 100, $"{run.Acknowledged} acknowledged");
    }

    [Fact]
    public async Task A_silo_that_acknowledges_before_it_appends_is_found_out()
    {
        RecoveryRun run = await RunAsync($"Shoal.Chaos.Silo {Breakage.AcknowledgesBeforeAppend}", kills: 2);
        Assert.True(run.Lost > 0, "nothing was lost");
    }

    [Fact]
    public async Task A_silo_that_stores_again_what_is_sent_again_is_found_out()
    {
        RecoveryRun run = await RunAsync($"Shoal.Chaos.Silo {Breakage.StoresTwice}", kills: 1);
        Assert.True(run.Doubled > 0, "nothing was doubled");
    }

    private async Task<RecoveryRun> RunAsync(string program, int kills, string[]? arguments = null, bool appendsWhole = false)
    {
        var run = new RecoveryRun(program, _folder.FullName, arguments ?? Arguments, seed: 4213) { AppendsWhole = appendsWhole, Shortest = TimeSpan.FromSeconds(3), Longest = TimeSpan.FromSeconds(6) };
        await run.RunAsync(kills);
        return run;
    }
}
