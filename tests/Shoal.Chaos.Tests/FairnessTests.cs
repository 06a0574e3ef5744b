using System.Diagnostics;
using Shoal.Benchmarks;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>A dataset that floods takes nothing from another but its share.</summary>
[Collection("silo")]
public sealed class FairnessTests : IDisposable
{
    private const int Floods = 4;

    // Alone, storing a batch takes 3 ms, and an answer 1.
    private static readonly TimeSpan MostOfACall = TimeSpan.FromSeconds(2);
    // Fewer steps say nothing about shares, and a machine that is busy makes one a second.
    private const int FewestSteps = 12;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);
    private static readonly DatasetSettings Settings = new() { Height = 12, Width = 12, Channels = 1, Clusters = 4, Shards = 4, ReplaySize = 1_000, RoundSeconds = 2, IdleRehearsalSteps = 1_000_000 };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-fairness-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Who_floods_starves_nobody()
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(_folder.FullName, "--log", "Error");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("quiet", Settings);
        await client.CreateDatasetAsync("flood", Settings);
        await new ClusterLoad(client, "quiet").StoreAsync(1_000);
        await new ClusterLoad(client, "flood").StoreAsync(1_000);
        using var stop = new CancellationTokenSource();
        Task flood = Task.WhenAll(Enumerable.Range(0, Floods).Select(i => FloodAsync(client, i, stop.Token)));
        var before = (Quiet: await StepsAsync(client, "quiet"), Flood: await StepsAsync(client, "flood"));
        var load = new ClusterLoad(client, "quiet");
        (long Quiet, long Flood) steps;
        var clock = Stopwatch.StartNew();
        do
        {
            using var over = new CancellationTokenSource(Duration);
            await load.RunAsync(over.Token);
            steps = (await StepsAsync(client, "quiet") - before.Quiet, await StepsAsync(client, "flood") - before.Flood);
        }
        while (steps.Quiet + steps.Flood < FewestSteps && clock.Elapsed < Longest);

        await stop.CancelAsync();
        await flood;
        Assert.Empty(load.Failures);
        Assert.True(load.Longest < MostOfACall, $"a call took {load.Longest.TotalSeconds:F1} s");
        // Two datasets that always have something to learn take turns.
        var all = steps.Quiet + steps.Flood;
        Assert.True(all >= FewestSteps, $"{all} steps in {clock.Elapsed.TotalSeconds:F0} s: who floods leaves nothing to training");
        Assert.True(steps.Quiet > 0.35 * all, $"{steps.Quiet} steps where the other had {steps.Flood}");
    }

    private static async Task FloodAsync(ShoalClient client, int producer, CancellationToken token)
    {
        for (var at = (producer + 1) * 10_000_000; !token.IsCancellationRequested; at += 4_000)
        {
            await foreach (IngestResult _ in client.IngestAsync("flood", Enumerable.Range(at, 4_000).Select(RecoveryRun.Item).ToAsyncEnumerable(), cancellationToken: CancellationToken.None))
            {
                // As fast as it is taken.
            }
        }
    }

    private static async Task<long> StepsAsync(ShoalClient client, string dataset) => (await client.StatusAsync(dataset)).Training.Progress?.Steps ?? 0;
}
