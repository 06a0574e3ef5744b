using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>Kills one of three silos of a cluster again and again while clients store and ask, and starts another in its place.</summary>
internal static class FailoverSuite
{
    private const string Dataset = "failover";
    private const int Silos = 3;
    private const int FirstItems = 2_500;

    private static readonly DatasetSettings Settings = new() { Height = 12, Width = 12, Channels = 1, Clusters = 4, Shards = 12, RoundSeconds = 2, ReplaySize = 1_000, IdleRehearsalSteps = 1_000_000 };
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs it.</summary>
    /// <param name="kills">How many kills.</param>
    /// <param name="seed">Of which silo it is.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int kills, int seed, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        await ClusterBench.RunAsync(Silos, pinned: false, (cluster, client) => RunAsync(cluster, client, kills, seed, figures));
    }

    private static async Task RunAsync(SiloCluster cluster, ShoalClient client, int kills, int seed, FigureWriter figures)
    {
        await client.CreateDatasetAsync(Dataset, Settings);
        var load = new ClusterLoad(client, Dataset);
        await load.StoreAsync(FirstItems);
        using var stop = new CancellationTokenSource();
        Task work = load.RunAsync(stop.Token);
        var training = new List<Recovery>();
        var random = new Random(seed);
        for (var kill = 1; kill <= kills; kill++)
        {
            await Task.Delay(Before);
            long steps = await StepsAsync(client);
            var dead = Stopwatch.StartNew();
            await cluster.KillAsync(cluster.Silos[random.Next(Silos)]);
            training.Add(await RecoverAsync(client, steps, dead));
            await cluster.AddAsync();
            await Task.Delay(After);
            FigureWriter.Tell($"{kill,4} of {kills} kills: {load.Calls:N0} calls, {load.Failures.Count} failed, the longest {load.Longest.TotalSeconds:F1} s; {training[^1]}");
        }

        await stop.CancelAsync();
        await work;
        Write(figures, seed, kills, load, await load.CheckAsync(), training);
    }

    private static void Write(FigureWriter figures, int seed, int kills, ClusterLoad load, (int Lost, long Miscounted) found, List<Recovery> training)
    {
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["silos"] = Silos, ["kills"] = kills, ["shards"] = Settings.Shards };
        figures.Write("failover.lost", found.Lost, "items", seed, settings);
        figures.Write("failover.miscounted", found.Miscounted, "items", seed, settings);
        figures.Write("failover.acknowledged", load.Acknowledged, "items", seed, settings);
        figures.Write("failover.calls", load.Calls, "calls", seed, settings);
        figures.Write("failover.failed_calls", load.Failures.Count, "calls", seed, settings);
        figures.Write("failover.longest_call_s", load.Longest.TotalSeconds, "s", seed, settings);
        figures.Write("failover.training_s", training.Max(recovery => recovery.Further), "s", seed, settings);
        figures.Write("failover.training_median_s", Percentiles.Median([.. training.Select(recovery => recovery.Further)]), "s", seed, settings);
        figures.Write("failover.resumed_s", training.Max(recovery => recovery.Resumed), "s", seed, settings);
        foreach (var failure in load.Failures.Distinct(StringComparer.Ordinal).Take(5))
        {
            FigureWriter.Tell($"failed: {failure}");
        }
    }

    private static async Task<long> StepsAsync(ShoalClient client) => (await client.StatusAsync(Dataset)).Training.Progress?.Steps ?? 0;

    // A step that is counted may have been taken before: those since the last checkpoint of a coordinator that died are taken again.
    private static async Task<Recovery> RecoverAsync(ShoalClient client, long steps, Stopwatch dead)
    {
        long lowest = steps;
        double? resumed = null;
        while (dead.Elapsed < Patience)
        {
            long now = await StepsAsync(client);
            lowest = Math.Min(lowest, now);
            resumed ??= now > lowest ? dead.Elapsed.TotalSeconds : null;
            if (now > steps)
            {
                return new Recovery(resumed ?? dead.Elapsed.TotalSeconds, dead.Elapsed.TotalSeconds, steps - lowest);
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"Within {Patience.TotalMinutes} minutes after a kill no step was trained.");
    }

    /// <summary>How training went on after a kill.</summary>
    /// <param name="Resumed">Seconds until a step was counted.</param>
    /// <param name="Further">Seconds until one that had not been taken before the kill.</param>
    /// <param name="Again">Steps that had to be taken again.</param>
    private sealed record Recovery(double Resumed, double Further, long Again)
    {
        public override string ToString() => $"training again after {Resumed:F1} s, further than before after {Further:F1} s, {Again} steps taken again";
    }
}
