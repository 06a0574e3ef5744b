using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>The change feed.</content>
public sealed partial class ShoalClient
{
    /// <summary>The longest that a call waits for a change.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    /// <summary>Between two looks for changes: each asks all shards.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);

    /// <summary>What changed since a cursor: states and clusters of items, and events; each at least once, those of a shard in their order.</summary>
    /// <remarks>
    /// A reader keeps the cursor of a page once it has done its work with it, and reads on from there after whatever happens to it.
    /// One that was away for longer than changes are kept is told how every item stands now.
    /// </remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="after">The cursor of the page read last; null to be told of all items first, <c>end</c> for what comes from now on.</param>
    /// <param name="limit">About how many changes at most, 1 to 10,000; a page may have one more for each shard.</param>
    /// <param name="wait">How long to wait for a change where there is none, at most a minute.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (no such cursor), NotFound (no such dataset), Unavailable.</exception>
    public async Task<ChangePage> ChangesAsync(string dataset, string? after, int limit = 1_000, TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(limit), limit, 1, 10_000);
        if (wait < TimeSpan.Zero || wait > LongestWait)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The wait is {wait.TotalSeconds} s; must be 0 to {LongestWait.TotalSeconds} s.");
        }

        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        ChangeCursor cursor = ChangeCursor.Parse(after, route.Shards.Length);
        long began = _options.Time.GetTimestamp();
        while (true)
        {
            (ChangePage page, cursor) = await LookAsync(dataset, route, cursor, limit, cancellationToken);
            if (page.Changes.Count > 0 || page.More || _options.Time.GetElapsedTime(began) >= wait)
            {
                return page;
            }

            await Task.Delay(LookEvery, _options.Time, cancellationToken);
        }
    }

    /// <summary>Pages of changes as they come, until the caller stops.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="after">As for <see cref="ChangesAsync"/>.</param>
    /// <param name="limit">As for <see cref="ChangesAsync"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ShoalException">Invalid (no such cursor), NotFound (no such dataset), Unavailable (for longer than calls are repeated; go on from the last cursor).</exception>
    public async IAsyncEnumerable<ChangePage> FollowChangesAsync(
        string dataset, string? after, int limit = 1_000, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            ChangePage page = await ChangesAsync(dataset, after, limit, LongestWait, cancellationToken);
            after = page.Cursor;
            if (page.Changes.Count > 0)
            {
                yield return page;
            }
        }
    }

    /// <summary>What became of an item: the changes of its state and of its cluster, as far as its shard keeps them.</summary>
    /// <remarks>A shard keeps the newest 131,072 changes of all its items. Bytes that replaced others under the same id begin with "pending".</remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="limit">How many changes at most, the newest, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset, or an item that was never seen or is deleted), Overloaded, Unavailable.</exception>
    public async Task<ItemHistory> HistoryAsync(string dataset, string id, int limit = 100, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        CheckCount(nameof(limit), limit, 1, 1_000);
        return await AskShardAsync(dataset, id, (shard, item) => shard.GetHistoryAsync(item, limit), cancellationToken)
            ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'.");
    }

    private async Task<(ChangePage Page, ChangeCursor Next)> LookAsync(string dataset, DatasetRoute route, ChangeCursor at, int limit, CancellationToken cancellationToken)
    {
        int share = Math.Max(1, limit / (at.Shards.Length + 1));
        IClustersGrain clusters = _cluster.GetGrain<IClustersGrain>(dataset);
        Task<EventSlice> events = CallAsync(() => clusters.GetEventsAfterAsync(at.Events, share), cancellationToken);
        ShardChanges?[] shards = await Task.WhenAll(at.Shards.Select((place, shard) => ReadAsync(route[shard], place)));
        EventSlice told = await events;
        long lastEvent = told.First - 1 + told.Events.Length;
        var next = new ChangeCursor(lastEvent, [.. at.Shards.Zip(shards, (before, read) => read?.Next ?? before)]);
        var page = new ChangePage(
            [.. told.Events.Select(happened => new Change(Item: null, happened)), .. shards.SelectMany(read => read?.Items ?? []).Select(item => new Change(item, Event: null))],
            next.ToString(),
            lastEvent < told.End || shards.Any(read => read?.More ?? false),
            [.. Enumerable.Range(0, shards.Length).Where(shard => shards[shard] is null)]);
        return (page, next);

        async Task<ShardChanges?> ReadAsync(IShardGrain shard, FeedPlace place)
        {
            try
            {
                return await CallAsync(() => shard.GetChangesAsync(place, share), cancellationToken);
            }
            catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
            {
                // The others must not wait until it is repaired; its place stays.
                return null;
            }
        }
    }
}
