using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Lists a shard's items part by part, by the index alone: a listing keeps nothing between two calls.</summary>
/// <remarks>
/// A listing covers the positions that there were when it began. Positions never move, so an item that stays is met once whatever is
/// ingested or assigned meanwhile; one that is replaced meanwhile is met at the position that it had.
/// </remarks>
internal sealed class ShardListing(ShardStore items, ShardReader reader)
{
    /// <summary>Items looked at in one call: 4 MB of the index and 3 MB of assignments, a few milliseconds of the shard's turn.</summary>
    public const int MostScanned = 65_536;

    private const int Block = 1_024;

    private readonly Assignment[] _assignments = new Assignment[Block];
    private readonly ItemRecord[] _records = new ItemRecord[Block];

    /// <summary>Reads on.</summary>
    /// <param name="filter">Which items, and in which order.</param>
    /// <param name="from">Where the listing stands.</param>
    /// <param name="limit">The most items returned, 1 and up.</param>
    /// <param name="surroundings">What answers are made with.</param>
    public async Task<ShardItems> ReadAsync(ItemFilter filter, ListPlace from, int limit, ShardSurroundings surroundings)
    {
        // All within one turn: what is told of an item is what it was chosen by.
        var found = new List<ListedItem>();
        (ListPlace next, DateTimeOffset reached) = Scan(filter, Known(from, filter.Newest), limit, surroundings, found);
        var ids = await items.IdsOfAsync(found.Select(item => item.Item.Sequence));
        // Without an id it was deleted and erased while the others were read.
        IEnumerable<ListedItem> listed = found.Zip(ids).Where(p => p.Second is not null).Select(p => p.First with { Item = p.First.Item with { Id = p.Second! } });
        return new ShardItems { Items = [.. listed], Next = next, Reached = reached };
    }

    // A place that somebody made up is one within the shard.
    private ListPlace Known(ListPlace from, bool newest)
    {
        var count = items.Index.Count;
        if (from == ListPlace.Start)
        {
            return new ListPlace(newest ? count : 0, count);
        }

        var end = Math.Clamp(from.End, 0, count);
        return new ListPlace(Math.Clamp(from.Next, 0, end), end);
    }

    private (ListPlace Next, DateTimeOffset Reached) Scan(ItemFilter filter, ListPlace at, int limit, ShardSurroundings surroundings, List<ListedItem> found)
    {
        var cluster = filter.Cluster is { } asked ? surroundings.Directory.Resolve(asked) : (long?)null;
        DateTimeOffset reached = DateTimeOffset.UnixEpoch;
        for (var scanned = 0; scanned < MostScanned && found.Count < limit && !at.IsDone(filter.Newest);)
        {
            var count = (int)Math.Min(Block, filter.Newest ? at.Next : at.End - at.Next);
            var first = filter.Newest ? at.Next - count : at.Next;
            items.Index.GetMany(first, _records.AsSpan(0, count));
            items.Table.ReadMany(first, _assignments.AsSpan(0, count));
            for (var i = 0; i < count && found.Count < limit; i++, scanned++)
            {
                var slot = filter.Newest ? count - 1 - i : i;
                var place = first + slot;
                at = at with { Next = filter.Newest ? place : place + 1 };
                reached = _records[slot].Time;
                if (Holder(_records[slot], place, at.End) is { } sequence
                    && Matches(filter, cluster, sequence == place ? _assignments[slot] : items.Ledger.Read(sequence), surroundings.Directory))
                {
                    found.Add(new ListedItem(reader.Tell(sequence, string.Empty, surroundings), place, reached));
                }
            }
        }

        return (at, reached);
    }

    // The item that is listed for a position; null for none.
    private long? Holder(in ItemRecord record, long place, long end)
    {
        if (!record.IsGone())
        {
            return place;
        }

        return items.Replacements.Heir(place, end) is { } heir && !items.Index.Get(heir).IsGone() ? heir : null;
    }

    private static bool Matches(ItemFilter filter, long? cluster, in Assignment assignment, ClusterDirectory directory)
    {
        AssignmentState state = assignment.StateOf();
        return (filter.State is null || state.ToState() == filter.State)
            && (cluster is null || (state == AssignmentState.Assigned && directory.Resolve(assignment.Cluster) == cluster))
            && (filter.ConfidenceBelow is null || (state == AssignmentState.Assigned && assignment.Confidence < filter.ConfidenceBelow));
    }
}

/// <summary>What a shard's answers are made with.</summary>
/// <param name="Shard">The shard's number.</param>
/// <param name="Directory">Names and redirects.</param>
/// <param name="PublishedAt">When each version was published.</param>
internal readonly record struct ShardSurroundings(int Shard, ClusterDirectory Directory, SortedList<int, DateTimeOffset> PublishedAt);
