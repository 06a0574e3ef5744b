using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Listings of items.</content>
public sealed partial class ShoalClient
{
    /// <summary>How often shards are asked for one page: where a filter matches little, a page ends early instead of taking long.</summary>
    private const int MostRounds = 4;

    /// <summary>Asked of a shard at least: less is not worth a call.</summary>
    private const int LeastShare = 8;

    /// <summary>A page of a dataset's items.</summary>
    /// <remarks>
    /// A listing covers what was there when it began. An item that stays is listed exactly once, whatever is ingested or assigned
    /// meanwhile; one that is deleted before its turn is not; what is asked of it (cluster, state, confidence) is judged at its turn.
    /// </remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="filter">Which items, and in which order; keep it from page to page.</param>
    /// <param name="cursor">The last page's cursor; null to begin.</param>
    /// <param name="limit">How many items at most, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (filter, cursor, limit), NotFound (no such dataset), Unavailable.</exception>
    public async Task<ItemPage> ListItemsAsync(string dataset, ItemFilter filter, string? cursor = null, int limit = 100, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        CheckCount(nameof(limit), limit, 1, 1_000);
        Check(filter);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        ListCursor from = ListCursor.Parse(cursor, filter.Newest, route.Shards.Length);
        ShardRun[] runs = Array.ConvertAll(from.Shards, place => new ShardRun(place, filter.Newest));

        // Ids are spread evenly by their hash: twice its share is more than a shard has on most pages.
        int share = Math.Clamp(2 * limit / runs.Length, Math.Min(LeastShare, limit), limit);
        var items = new List<ItemAnswer>(limit);
        for (int round = 0; round < MostRounds && items.Count < limit && Array.Exists(runs, run => run.IsHungry); round++)
        {
            await Task.WhenAll(runs.Select((run, shard) => run.IsHungry ? ReadAsync(route[shard], run) : Task.CompletedTask));
            ShardRun.Merge(runs, limit, items, filter.Newest);
        }

        return new ItemPage(
            items,
            Array.TrueForAll(runs, run => run.IsDone) ? null : new ListCursor(filter.Newest, Array.ConvertAll(runs, run => run.Place)).ToString(),
            [.. Enumerable.Range(0, runs.Length).Where(shard => runs[shard].IsDamaged)]);

        async Task ReadAsync(IShardGrain shard, ShardRun run)
        {
            try
            {
                run.Add(await CallAsync(() => shard.ListAsync(filter, run.Ahead, share), cancellationToken));
            }
            catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
            {
                // The others are listed; its place stays for when it is repaired.
                run.IsDamaged = true;
            }
        }
    }

    /// <summary>All items that match, page by page.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="filter">Which items, and in which order.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="ShoalException">Invalid (filter), NotFound (no such dataset), Unavailable, Damaged (a shard cannot be read before it is repaired).</exception>
    public async IAsyncEnumerable<ItemAnswer> AllItemsAsync(string dataset, ItemFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? cursor = null;
        do
        {
            ItemPage page = await ListItemsAsync(dataset, filter, cursor, limit: 1_000, cancellationToken);
            if (page.Damaged is [int damaged, ..])
            {
                throw new ShoalException(ShoalErrorKind.Damaged, $"Shard {damaged} of '{dataset}' cannot be read before it is repaired; list page by page to do without it.");
            }

            foreach (ItemAnswer item in page.Items)
            {
                yield return item;
            }

            cursor = page.Cursor;
        }
        while (cursor is not null);
    }

    private static void Check(ItemFilter filter)
    {
        if (filter.State is ItemState.Unknown or ItemState.Deleted)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "The state must be pending, assigned, outlier or quarantined: others are not listed.");
        }

        if (filter.ConfidenceBelow is { } most && !(most >= 0 && most <= 1))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "The confidence must be 0 to 1.");
        }
    }
}
