using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>Stops three silos of a cluster one after another by SIGTERM, as a rolling upgrade does, and starts another for each, under a steady load.</summary>
internal static class RollingSuite
{
    private const string Dataset = "rolling";
    private const int Silos = 3;
    private const int Items = 500;
    private const int Queries = 2_000;
    private const int TicksASecond = 20;
    private const int FirstItems = 4_000;

    private static readonly DatasetSettings Settings = new() { Height = 12, Width = 12, Channels = 1, Clusters = 4, Shards = 12, RoundSeconds = 5, ReplaySize = 1_000, IdleRehearsalSteps = 1_000_000 };
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs it.</summary>
    /// <param name="stops">How many silos are stopped.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int stops, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        await ClusterBench.RunAsync(Silos, pinned: false, (cluster, client) => RunAsync(cluster, client, stops, figures));
    }

    private static async Task RunAsync(SiloCluster cluster, ShoalClient client, int stops, FigureWriter figures)
    {
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["silos"] = Silos, ["stops"] = stops, ["items_per_second"] = Items, ["queries_per_second"] = Queries };
        await client.CreateDatasetAsync(Dataset, Settings);
        var load = new SteadyLoad(client);
        await load.StoreAsync(FirstItems);
        using var stop = new CancellationTokenSource();
        Task work = load.RunAsync(stop.Token);
        await Task.Delay(Between);
        // What its first steps and its first version cost a silo of any kind is no part of a restart.
        load.Forget();
        for (var i = 1; i <= stops; i++)
        {
            var clock = Stopwatch.StartNew();
            await cluster.StopAsync(cluster.Silos[0]);
            FigureWriter.Tell($"{load.Seconds,5:F0} s  {i} of {stops} stopped within {clock.Elapsed.TotalSeconds:F1} s; {load.Failures.Count} failed calls");
            await cluster.AddAsync();
            FigureWriter.Tell($"{load.Seconds,5:F0} s  another is up");
            await Task.Delay(Between);
        }

        await Task.Delay(Between);
        await stop.CancelAsync();
        await work;
        double[] milliseconds = [.. load.Milliseconds.Order()];
        figures.Write("rolling.failed_calls", load.Failures.Count, "calls", null, settings);
        figures.Write("rolling.items", load.Stored, "items", null, settings);
        figures.Write("rolling.queries", milliseconds.Length, "queries", null, settings);
        figures.Write("rolling.query_p50_ms", milliseconds[milliseconds.Length / 2], "ms", null, settings);
        figures.Write("rolling.query_p99_ms", milliseconds[(int)(milliseconds.Length * 0.99)], "ms", null, settings);
        figures.Write("rolling.query_longest_ms", milliseconds[^1], "ms", null, settings);
        foreach (var (second, count) in load.SlowBySecond.OrderBy(entry => entry.Key))
        {
            FigureWriter.Tell($"{second,5} s  {count} queries took longer than {Slow.TotalMilliseconds} ms");
        }

        foreach (var failure in load.Failures.Distinct(StringComparer.Ordinal).Take(5))
        {
            FigureWriter.Tell($"failed: {failure}");
        }
    }

    /// <summary>As many items and queries a second, whether those before were answered or not.</summary>
    private sealed class SteadyLoad(ShoalClient client)
    {
        private int _next;
        private int _stored;

        private readonly long _begun = Stopwatch.GetTimestamp();

        public ConcurrentBag<double> Milliseconds { get; } = [];

        /// <summary>Queries that took longer than <see cref="Slow"/>, by the second in which they began.</summary>
        public ConcurrentDictionary<int, int> SlowBySecond { get; } = [];

        public double Seconds => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

        public ConcurrentBag<string> Failures { get; } = [];

        public int Stored => _stored;

        /// <summary>Forgets how long queries took until now.</summary>
        public void Forget()
        {
            Milliseconds.Clear();
            SlowBySecond.Clear();
        }

        public async Task RunAsync(CancellationToken token)
        {
            var random = new Random(1);
            var under = new ConcurrentDictionary<Task, bool>();
            using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksASecond));
            while (!token.IsCancellationRequested)
            {
                Begin(CountAsync(() => StoreAsync(Items / TicksASecond)));
                for (var i = 0; i < Queries / TicksASecond; i++)
                {
                    var id = random.Next(FirstItems).ToString(CultureInfo.InvariantCulture);
                    Begin(AskAsync(id));
                }

                await pace.WaitForNextTickAsync(CancellationToken.None);
            }

            await Task.WhenAll(under.Keys);

            void Begin(Task call)
            {
                under[call] = true;
                _ = call.ContinueWith(done => under.TryRemove(done, out _), TaskScheduler.Default);
            }
        }

        public async Task StoreAsync(int count)
        {
            var first = Interlocked.Add(ref _next, count) - count;
            await foreach (IngestResult result in client.IngestAsync(Dataset, Enumerable.Range(first, count).Select(RecoveryRun.Item).ToAsyncEnumerable()))
            {
                if (result.IsStored)
                {
                    Interlocked.Increment(ref _stored);
                }
            }
        }

        private Task AskAsync(string id)
        {
            var begun = Stopwatch.GetTimestamp();
            return CountAsync(async () =>
            {
                ItemAnswer answer = await client.GetAsync(Dataset, id);
                TimeSpan took = Stopwatch.GetElapsedTime(begun);
                Milliseconds.Add(took.TotalMilliseconds);
                if (took > Slow)
                {
                    SlowBySecond.AddOrUpdate((int)Stopwatch.GetElapsedTime(_begun, begun).TotalSeconds, 1, (_, count) => count + 1);
                }

                if (answer.State is ItemState.Unknown)
                {
                    Failures.Add($"{id} was stored and is unknown");
                }
            });
        }

        private async Task CountAsync(Func<Task> call)
        {
            try
            {
                await call();
            }
            catch (ShoalException e)
            {
                Failures.Add(e.Message);
            }
        }
    }
}
