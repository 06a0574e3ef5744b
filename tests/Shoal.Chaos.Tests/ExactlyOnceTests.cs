using Shoal.Benchmarks;
using Shoal.Chaos.Silo;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>However often training is killed, its end is that of training which saw each sample once.</summary>
[Collection("silo")]
public sealed class ExactlyOnceTests : IDisposable
{
    private const int Kills = 3;
    private const int Samples = 1_000;

    // 1,000 samples are 11 steps; then it rehearses.
    private const int Steps = 11 + Rehearsed;
    private const int Rehearsed = 18;

    private static readonly DatasetSettings Settings = new()
    {
        Height = 12,
        Width = 12,
        Channels = 1,
        Clusters = 4,
        Shards = 4,
        RoundSteps = 6,
        IdleRehearsalSteps = Rehearsed / 6,
        ReplaySize = 1_000,
    };

    private static readonly ItemUpload[] Items = [.. Enumerable.Range(0, Samples).Select(RecoveryRun.Item)];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-exactly-once-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Training_that_is_killed_again_and_again_ends_with_the_same_bits_as_training_that_is_not()
    {
        await ExactlyOnce.IngestAsync(Folder("log"), Settings, Items);
        Trained whole = await TrainAsync("log", "whole", kills: 0);
        Assert.InRange(whole.Steps, Steps, Steps + 1);
        Assert.True(whole.Version > 0);

        Trained killed = await TrainAsync("log", "killed", Kills);
        Assert.Equal(Kills, killed.Kills.Count);
        Assert.Contains(killed.Kills, step => step % Settings.RoundSteps != 0);
        Assert.Equal((whole.Steps, whole.Version), (killed.Steps, killed.Version));
        Assert.Equal(whole.Hashes, killed.Hashes);

        // The controls: a log that is one sample shorter, and a silo that commits cursors before the parameters that they led to.
        await ExactlyOnce.IngestAsync(Folder("short"), Settings, Items[..^1]);
        Trained shorter = await TrainAsync("short", "shorter", kills: 0);
        Assert.All(["model", "optimizer", "replay", "bank"], part => Assert.NotEqual(whole.Hashes[part], shorter.Hashes[part]));
        Trained misled = await TrainAsync("log", "misled", kills: 1, $"Shoal.Chaos.Silo {Breakage.CommitsCursorsBeforeParameters}");
        Assert.NotEqual(whole.Hashes["model"], misled.Hashes["model"]);
    }

    private string Folder(string name) => Path.Combine(_folder.FullName, name);

    private Task<Trained> TrainAsync(string log, string name, int kills, string program = "Shoal.Silo")
    {
        var random = new Random(4213);
        long[] killAt = [.. Enumerable.Range(0, kills).Select(_ => random.NextInt64(1, Steps)).Order()];
        return ExactlyOnce.TrainAsync(Folder(log), Folder(name), killAt, program);
    }
}
