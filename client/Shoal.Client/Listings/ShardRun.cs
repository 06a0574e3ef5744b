using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>One shard's part of a page that is being made: what it answered and is not on the page yet.</summary>
/// <param name="place">Where the listing stands in the shard.</param>
/// <param name="newest">Whether the newest come first.</param>
internal sealed class ShardRun(ListPlace place, bool newest)
{
    private readonly Queue<ListedItem> _waiting = [];
    private ListPlace _next = place;
    private DateTimeOffset _reached;

    /// <summary>Whether the shard has to be asked before anything more of it can be on the page.</summary>
    public bool IsHungry => _waiting.Count == 0 && !_next.IsDone(newest) && !IsDamaged;

    /// <summary>Whether nothing is left of it.</summary>
    public bool IsDone => _waiting.Count == 0 && (_next.IsDone(newest) || IsDamaged);

    /// <summary>Whether it cannot be read.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>From where on the shard is asked.</summary>
    public ListPlace Ahead => _next;

    /// <summary>Where the page ends in the shard: before what is still waiting.</summary>
    public ListPlace Place => _waiting.TryPeek(out ListedItem first) ? _next with { Next = newest ? first.Place + 1 : first.Place } : _next;

    /// <summary>Takes what the shard answered.</summary>
    /// <param name="part">The answer.</param>
    public void Add(ShardItems part)
    {
        (_next, _reached) = (part.Next, part.Reached);
        foreach (ListedItem item in part.Items)
        {
            _waiting.Enqueue(item);
        }
    }

    /// <summary>Merges runs until the page is full, or one has to be asked before it is known which item is next.</summary>
    /// <param name="runs">The runs of all shards.</param>
    /// <param name="limit">How many items the page takes.</param>
    /// <param name="page">Is added to.</param>
    /// <param name="newest">Whether the newest come first.</param>
    public static void Merge(IReadOnlyList<ShardRun> runs, int limit, List<ItemAnswer> page, bool newest)
    {
        while (page.Count < limit && First(runs, newest) is { IsHungry: false } run)
        {
            page.Add(run._waiting.Dequeue().Item);
        }
    }

    // Whose next item, or whose unknown next item at the earliest, comes first; null when all are done.
    private static ShardRun? First(IReadOnlyList<ShardRun> runs, bool newest)
    {
        ShardRun? first = null;
        DateTimeOffset time = default;
        foreach (ShardRun run in runs)
        {
            if (run.IsDone)
            {
                continue;
            }

            DateTimeOffset own = run._waiting.TryPeek(out ListedItem item) ? item.Since : run._reached;
            if (first is null || (newest ? own > time : own < time) || (own == time && first.IsHungry))
            {
                (first, time) = (run, own);
            }
        }

        return first;
    }
}
