using System.Diagnostics;
using Shoal.Benchmarks;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>A dataset of a cluster that is stored to, asked and trained while something happens to the cluster; in the end nothing may be lost, and no call have failed.</summary>
internal sealed class ClusterTrial : IAsyncDisposable
{
    /// <summary>The dataset.</summary>
    public const string Dataset = "shared";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Its settings: little to compute.</summary>
    public static readonly DatasetSettings Settings = new() { Height = 12, Width = 12, Channels = 1, Clusters = 4, Shards = 6, ReplaySize = 1_000, RoundSeconds = 1, IdleRehearsalSteps = 1_000_000 };

    private readonly CancellationTokenSource _stop = new();
    private readonly SiloCluster _cluster;
    private readonly ShoalClient _client;
    private readonly ClusterLoad _load;
    private readonly Task _work;

    private ClusterTrial(SiloCluster cluster, ShoalClient client, ClusterLoad load)
    {
        (_cluster, _client, _load) = (cluster, client, load);
        _work = load.RunAsync(_stop.Token);
    }

    /// <summary>Makes the dataset with some items, and begins to work with it.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="client">The client that is worked with.</param>
    public static async Task<ClusterTrial> BeginAsync(SiloCluster cluster, ShoalClient client)
    {
        await client.CreateDatasetAsync(Dataset, Settings);
        var load = new ClusterLoad(client, Dataset);
        await load.StoreAsync(2_500);
        return new ClusterTrial(cluster, client, load);
    }

    /// <summary>The silo of the first seat.</summary>
    public async Task<SiloProcess> TrainingSiloAsync()
    {
        SeatPlan plan = await _client.Cluster.GetGrain<IModelGrain>(Dataset).GetSeatsAsync();
        return _cluster.Silos.Single(silo => plan.Seats[0].Contains($":{silo.SiloPort}@", StringComparison.Ordinal));
    }

    /// <summary>How many shards each silo has that has any, fewest first: <c>2 4</c>.</summary>
    public async Task<string> ShardsOfSilosAsync()
    {
        IManagementGrain management = _client.Cluster.GetGrain<IManagementGrain>(0);
        SiloAddress?[] places = await Task.WhenAll(Enumerable.Range(0, Settings.Shards).Select(async shard =>
            await management.GetActivationAddress(_client.Cluster.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, shard)))));
        return string.Join(' ', places.GroupBy(place => place).Select(silo => silo.Count()).Order());
    }

    /// <summary>Items that were acknowledged so far.</summary>
    public int Acknowledged => _load.Acknowledged;

    /// <summary>The longest that a call took.</summary>
    public TimeSpan Longest => _load.Longest;

    /// <summary>Waits for a status.</summary>
    /// <param name="until">Whether it is that.</param>
    /// <exception cref="TimeoutException">It did not come to it; the text says how it stands.</exception>
    public Task<DatasetStatus> WaitAsync(Func<DatasetStatus, bool> until) => WaitAsync(_client, until);

    /// <summary>Waits for a status of the dataset.</summary>
    /// <param name="client">Any client.</param>
    /// <param name="until">Whether it is that.</param>
    /// <exception cref="TimeoutException">It did not come to it; the text says how it stands.</exception>
    public static async Task<DatasetStatus> WaitAsync(ShoalClient client, Func<DatasetStatus, bool> until)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            string seen;
            try
            {
                DatasetStatus status = await client.StatusAsync(Dataset);
                if (until(status))
                {
                    return status;
                }

                seen = $"{status.Training.Activity}, {status.Training.Problem}, term {status.Training.Term}, step {status.Training.Progress?.Steps}";
            }
            catch (ShoalException e) when (e.IsTransient)
            {
                seen = e.Message;
            }

            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"Within {Patience.TotalSeconds} s it did not come to it: {seen}.");
            }

            await Task.Delay(200);
        }
    }

    /// <summary>Waits until something is so.</summary>
    /// <param name="until">Whether it is.</param>
    /// <param name="what">What it is, in words.</param>
    /// <exception cref="TimeoutException">It did not come to it.</exception>
    public Task WaitUntilAsync(Func<bool> until, string what) => WaitUntilAsync(() => Task.FromResult(until()), what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public async Task WaitUntilAsync(Func<Task<bool>> until, string what)
    {
        if (!await TryWaitAsync(until, Patience))
        {
            throw new TimeoutException($"Within {Patience.TotalSeconds} s it did not come to it: {what}.");
        }
    }

    /// <summary>Waits until something is so, but not for ever.</summary>
    /// <param name="until">Whether it is.</param>
    /// <param name="patience">How long.</param>
    /// <returns>Whether it came to it.</returns>
    public Task<bool> TryWaitAsync(Func<bool> until, TimeSpan patience) => TryWaitAsync(() => Task.FromResult(until()), patience);

    private static async Task<bool> TryWaitAsync(Func<Task<bool>> until, TimeSpan patience)
    {
        var clock = Stopwatch.StartNew();
        while (!await until())
        {
            if (clock.Elapsed > patience)
            {
                return false;
            }

            await Task.Delay(100);
        }

        return true;
    }

    /// <summary>Ends the work and checks that all that was acknowledged is there, once, and that no call failed.</summary>
    /// <param name="mayFail">Whether calls may have failed: more silos died than a cluster can spare.</param>
    public async Task EndAsync(bool mayFail = false)
    {
        await _stop.CancelAsync();
        await _work;
        Assert.True(mayFail || _load.Failures.Count == 0, string.Join('\n', _load.Failures));
        Assert.Equal((0, 0L), await _load.CheckAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
    }
}
