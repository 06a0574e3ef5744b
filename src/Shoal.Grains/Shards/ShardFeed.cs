using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Tells readers of the change feed what changed in a shard, each change at least once and in order.</summary>
/// <remarks>
/// A reader that is farther behind than changes are kept, or whose changes were lost with the sidecars, is told how every item
/// stands now: it misses states that are over, never the last one.
/// </remarks>
internal sealed class ShardFeed(ShardStore items)
{
    private const int Block = 1_024;

    // Items looked at in one call: 2 MB of assignments and 4 MB of the index, a few milliseconds of the shard's turn.
    private const int MostSwept = 65_536;

    private readonly Assignment[] _assignments = new Assignment[Block];
    private readonly ItemRecord[] _records = new ItemRecord[Block];

    /// <summary>Reads on.</summary>
    /// <param name="after">Where the reader stands.</param>
    /// <param name="limit">The most changes returned, 1 and up.</param>
    /// <param name="shard">This shard's number.</param>
    /// <param name="directory">Names and redirects.</param>
    public async Task<ShardChanges> ReadAsync(FeedPlace after, int limit, int shard, ClusterDirectory directory)
    {
        // All within one turn: what is told of an item later is newer.
        var found = new List<AssignmentChange>();
        FeedPlace next = Collect(Known(after), limit, found);
        var more = next.Number < items.Changes.Last || next.Sweep >= 0;
        var ids = await items.IdsOfAsync(found.Select(change => change.Sequence));
        return new ShardChanges { Items = [.. found.Zip(ids, (change, id) => Tell(change, shard, directory) with { Id = id })], Next = next, More = more };
    }

    /// <summary>What became of an item; null when it is unknown or deleted.</summary>
    /// <param name="id">The item's id.</param>
    /// <param name="limit">The most changes returned, 1 and up.</param>
    /// <param name="shard">This shard's number.</param>
    /// <param name="directory">Names and redirects.</param>
    public ItemHistory? History(string id, int limit, int shard, ClusterDirectory directory)
    {
        if (id is null || Names.ItemIdProblem(id) is not null || !items.TryFind(id, out var sequence))
        {
            return null;
        }

        IReadOnlyList<AssignmentChange> changes = items.Changes.Of(sequence, limit);
        return new ItemHistory
        {
            Id = id,
            Changes = [.. changes.Select(change => Tell(change, shard, directory) with { Id = id })],

            // Either they waited for their first assignment, or they took the place of other bytes.
            ReachesBack = changes.Count > 0
                ? AssignmentState.Pending == (AssignmentState)changes[^1].StateBefore || changes[^1].Now.StateOf() == AssignmentState.Pending
                : items.Ledger.Read(sequence).StateOf() == AssignmentState.Pending,
        };
    }

    private static ItemChange Tell(in AssignmentChange change, int shard, ClusterDirectory directory)
    {
        Assignment now = change.Now;
        long? cluster = now.StateOf() == AssignmentState.Assigned ? directory.Resolve(now.Cluster) : null;
        var told = change.Number > 0;
        return new ItemChange
        {
            Shard = shard,
            Sequence = change.Sequence,
            State = now.StateOf().ToState(),
            Cluster = cluster,
            ClusterName = cluster is { } named ? directory.NameOf(named) : null,
            Confidence = cluster is null ? 0 : now.Confidence,
            ModelVersion = now.ModelVersion,
            StateBefore = told ? ((AssignmentState)change.StateBefore).ToState() : null,
            ClusterBefore = told && (AssignmentState)change.StateBefore == AssignmentState.Assigned ? directory.Resolve(change.ClusterBefore) : null,
            Time = now.Time,
            Reason = now.StateOf() == AssignmentState.Quarantined ? QuarantineReasons.Sentence(now.Cluster) : null,
        };
    }

    // Where the reader stands among the changes that are kept; at the start of all items where it has missed some.
    private FeedPlace Known(FeedPlace cursor)
    {
        ChangeRing changes = items.Changes;
        if (cursor == FeedPlace.End)
        {
            return new FeedPlace(changes.Generation, changes.Last, -1, Behind: false);
        }

        return cursor.Generation == changes.Generation && cursor.Number >= changes.First - 1 && cursor.Number <= changes.Last
            ? cursor
            : new FeedPlace(changes.Generation, changes.Last, 0, Behind: cursor.Behind || cursor.Generation != 0);
    }

    private FeedPlace Collect(FeedPlace at, int limit, List<AssignmentChange> found)
    {
        while (found.Count < limit && at.Number < items.Changes.Last)
        {
            if (!items.Changes.TryRead(at.Number + 1, out AssignmentChange change))
            {
                return new FeedPlace(at.Generation, items.Changes.Last, 0, Behind: true);
            }

            found.Add(change);
            at = at with { Number = change.Number };
        }

        var end = Math.Min(items.Index.Count, at.Sweep + MostSwept);
        while (at.Sweep >= 0 && at.Sweep < end && found.Count < limit)
        {
            at = at with { Sweep = Sweep(at, limit, end, found) };
        }

        return at.Sweep >= items.Index.Count ? at with { Sweep = -1, Behind = false } : at;
    }

    // How the next items stand; returns where to go on.
    private long Sweep(FeedPlace at, int limit, long end, List<AssignmentChange> found)
    {
        var count = items.Index.GetMany(at.Sweep, _records.AsSpan(0, (int)Math.Min(Block, end - at.Sweep)));
        items.Table.ReadMany(at.Sweep, _assignments.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            if (found.Count == limit)
            {
                return at.Sweep + i;
            }

            if (at.Behind && _records[i].Marks.HasFlag(ItemMarks.Deleted))
            {
                found.Add(new AssignmentChange(0, at.Sweep + i, 0, 0, Assignments.Unassigned(AssignmentState.Deleted, _records[i].Time)));
            }
            else if (!_records[i].IsGone() && _assignments[i].StateOf() != AssignmentState.Pending)
            {
                found.Add(new AssignmentChange(0, at.Sweep + i, 0, 0, _assignments[i]));
            }
        }

        return at.Sweep + count;
    }
}
