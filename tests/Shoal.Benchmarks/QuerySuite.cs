using System.Collections.Concurrent;
using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Benchmarks;

/// <summary>Queries for single items, ids drawn uniformly, through the SDK from this process to a silo process.</summary>
internal static class QuerySuite
{
    private const int Callers = 64;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    /// <summary>Runs it.</summary>
    /// <param name="items">Items in the dataset.</param>
    /// <param name="count">How many silos answer.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int items, int count, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["items"] = items, ["callers"] = Callers, ["silos"] = count, ["seconds"] = Duration.TotalSeconds };
        var folder = Directory.CreateTempSubdirectory("shoal-query-");
        try
        {
            await using BenchSilos silos = await BenchSilos.StartAsync(folder.FullName, count);
            await using ShoalClient client = await silos.ConnectAsync();
            await MachineSpeed.WriteRpcAsync(figures, client);
            await client.CreateDatasetAsync("bench", new DatasetSettings { Height = 8, Width = 8, Channels = 1 });
            await client.PauseAsync("bench");
            FigureWriter.Tell($"ingesting {items:N0} items");
            await foreach (IngestResult _ in client.IngestAsync("bench", SyntheticItems.Images(items, 64).ToAsyncEnumerable()))
            {
                // Only that all of it is stored matters here.
            }

            var random = new Random(1);
            string Id()
            {
                lock (random)
                {
                    return SyntheticItems.Id(random.Next(items));
                }
            }

            ICatalogGrain catalog = client.Cluster.GetGrain<ICatalogGrain>(GrainKeys.Catalog);
            double limit = await MachineSpeed.RateAsync(async () => _ = await catalog.ListAsync(), Callers, Duration);
            figures.Write("query.limit_rate", limit, "calls/s", null, settings);
            double rate = await MachineSpeed.RateAsync(async () => _ = await client.GetAsync("bench", Id()), Callers, Duration);
            figures.Write("query.rate", rate, "queries/s", null, settings);
            figures.Write("query.ratio_to_limit", rate / limit, "ratio", null, settings);
            figures.Write("query.item_grain_cold_rate", await ColdAsync(client, items), "queries/s", null, settings);

            await client.ResumeAsync("bench");
            FigureWriter.Tell("waiting for training");
            while ((await client.StatusAsync("bench")).Training.Activity is not "training")
            {
                await Task.Delay(100);
            }

            double[] milliseconds = [.. (await LatenciesAsync(() => client.GetAsync("bench", Id()))).Order()];
            figures.Write("query.training_p50_ms", milliseconds[milliseconds.Length / 2], "ms", null, settings);
            figures.Write("query.training_p99_ms", milliseconds[(int)(milliseconds.Length * 0.99)], "ms", null, settings);
            figures.Write("query.training_rate", milliseconds.Length / Duration.TotalSeconds, "queries/s", null, settings);
            FigureWriter.Tell("waiting for a version");
            while ((await client.StatusAsync("bench")).Training.Version is null)
            {
                await Task.Delay(100);
            }

            // Most items still wait for their first assignment: each answer decodes, embeds and assigns one.
            milliseconds = [.. (await LatenciesAsync(() => client.GetFreshAsync("bench", Id()))).Order()];
            figures.Write("query.fresh_p50_ms", milliseconds[milliseconds.Length / 2], "ms", null, settings);
            figures.Write("query.fresh_p99_ms", milliseconds[(int)(milliseconds.Length * 0.99)], "ms", null, settings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Item grains that were never active before: each id is asked for once.</summary>
    private static async Task<double> ColdAsync(ShoalClient client, int items)
    {
        var next = -1;
        return await MachineSpeed.RateAsync(
            async () => _ = await client.Cluster.GetGrain<IItemGrain>(GrainKeys.Item("bench", SyntheticItems.Id(Interlocked.Increment(ref next) % items))).GetAsync(),
            Callers,
            TimeSpan.FromSeconds(5));
    }

    /// <summary>One query after the other from each of eight callers, so that the latency is a user's and not a queue's.</summary>
    private static async Task<IReadOnlyCollection<double>> LatenciesAsync(Func<Task<ItemAnswer>> ask)
    {
        var latencies = new ConcurrentBag<double>();
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            while (clock.Elapsed < Duration)
            {
                var started = Stopwatch.GetTimestamp();
                await ask();
                latencies.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                await Task.Delay(5);
            }
        }));
        return latencies;
    }
}
