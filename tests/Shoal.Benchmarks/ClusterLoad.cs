using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Benchmarks;

/// <summary>Stores and asks through one client, and remembers what was promised and how long each call took.</summary>
/// <param name="client">The client.</param>
/// <param name="dataset">The dataset.</param>
internal sealed class ClusterLoad(ShoalClient client, string dataset)
{
    private const int Batch = 32;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<string, bool> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<string> _failures = [];
    private long _longest;
    private int _calls;
    private int _next;

    /// <summary>Items that were acknowledged.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>Calls that were made.</summary>
    public int Calls => _calls;

    /// <summary>What failed calls said, in spite of the client's retries.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>The longest call.</summary>
    public TimeSpan Longest => new(Interlocked.Read(ref _longest));

    /// <summary>Stores and asks until it is stopped.</summary>
    /// <param name="token">Stops it between calls.</param>
    public Task RunAsync(CancellationToken token) => Task.WhenAll(RepeatAsync(() => StoreAsync(Batch), token), RepeatAsync(() => StoreAsync(Batch), token), RepeatAsync(AskAsync, token));

    /// <summary>Stores so many items.</summary>
    /// <param name="count">How many.</param>
    public async Task StoreAsync(int count)
    {
        var first = Interlocked.Add(ref _next, count) - count;
        await foreach (IngestResult result in client.IngestAsync(dataset, Enumerable.Range(first, count).Select(RecoveryRun.Item).ToAsyncEnumerable()))
        {
            if (result.IsStored)
            {
                _acknowledged[result.Id] = true;
            }
        }
    }

    /// <summary>How many acknowledged items are not there, and how many of those that are there are counted more or less than once.</summary>
    public async Task<(int Lost, long Miscounted)> CheckAsync()
    {
        ItemAnswer[] answers = await client.GetManyAsync(dataset, [.. Enumerable.Range(0, _next).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
        HashSet<string> there = [.. answers.Where(answer => answer.State is not (ItemState.Unknown or ItemState.Deleted)).Select(answer => answer.Id)];
        DatasetStatus status = await client.StatusAsync(dataset);
        return (_acknowledged.Keys.Count(id => !there.Contains(id)), Math.Abs(status.Shards.Sum(s => s.Items) - there.Count));
    }

    private async Task AskAsync()
    {
        var known = _acknowledged.Keys.Take(Batch).ToArray();
        ItemAnswer[] answers = await client.GetManyAsync(dataset, known);
        foreach (ItemAnswer answer in answers.Where(answer => answer.State is ItemState.Unknown or ItemState.Deleted))
        {
            _failures.Add($"{answer.Id} was acknowledged and is {answer.State}");
        }
    }

    private async Task RepeatAsync(Func<Task> call, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            var begun = Stopwatch.GetTimestamp();
            Interlocked.Increment(ref _calls);
            try
            {
                await call();
            }
            catch (ShoalException e)
            {
                _failures.Add(e.Message);
            }

            var took = Stopwatch.GetElapsedTime(begun).Ticks;
            long longest;
            while (took > (longest = Interlocked.Read(ref _longest)))
            {
                Interlocked.CompareExchange(ref _longest, took, longest);
            }

            await Task.Delay(Pause, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
