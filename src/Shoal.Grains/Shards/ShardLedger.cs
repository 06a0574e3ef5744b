using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Keeps the counts of a shard's assignments true while they change, and notes each change of state or cluster.</summary>
/// <remarks>
/// Used on the shard's turns only. Counts are rebuilt from the table when the shard opens. A change is noted before the table has
/// it: a process killed between the two notes it again, rather than never.
/// </remarks>
/// <param name="table">The assignments.</param>
/// <param name="changes">What readers of the change feed are told.</param>
/// <param name="time">The clock.</param>
internal sealed class ShardLedger(AssignmentTable table, ChangeRing changes, TimeProvider time)
{
    private readonly Dictionary<long, ClusterCount> _clusters = [];
    private readonly SortedDictionary<int, long> _versions = [];
    private readonly Dictionary<int, long> _quarantine = [];

    /// <summary>Items in a cluster.</summary>
    public long Assigned { get; private set; }

    /// <summary>Items that fit no cluster.</summary>
    public long Outliers { get; private set; }

    /// <summary>Items that cannot be decoded.</summary>
    public long Quarantined { get; private set; }

    /// <summary>The oldest version that an assignment was made by; 0 when there are none.</summary>
    public int OldestVersion
    {
        get
        {
            using var versions = _versions.GetEnumerator();
            return versions.MoveNext() ? versions.Current.Key : 0;
        }
    }

    /// <summary>Quarantined items by the code of their reason.</summary>
    public IReadOnlyDictionary<int, long> Quarantine => _quarantine;

    /// <summary>Counts and summed confidence of each cluster that has items here.</summary>
    public IReadOnlyDictionary<long, ClusterCount> Clusters => _clusters;

    /// <summary>How many assignments each version made, oldest first.</summary>
    public IReadOnlyDictionary<int, long> Versions => _versions;

    /// <summary>Counts what the table holds already, and nothing else.</summary>
    /// <param name="end">The first sequence number that is not used yet.</param>
    /// <param name="isGone">Whether an item was replaced or deleted.</param>
    /// <returns>The first sequence number without a state; <paramref name="end"/> when all have one.</returns>
    public long Load(long end, Func<long, bool> isGone)
    {
        _clusters.Clear();
        _versions.Clear();
        _quarantine.Clear();
        (Assigned, Outliers, Quarantined) = (0, 0, 0);
        var block = new Assignment[4_096];
        var firstPending = end;
        for (long from = 0; from < end; from += block.Length)
        {
            Span<Assignment> read = block.AsSpan(0, (int)Math.Min(block.Length, end - from));
            table.ReadMany(from, read);
            for (var i = 0; i < read.Length; i++)
            {
                if (isGone(from + i))
                {
                    continue;
                }

                if (read[i].StateOf() == AssignmentState.Pending)
                {
                    firstPending = Math.Min(firstPending, from + i);
                }

                Count(read[i], +1);
            }
        }

        return firstPending;
    }

    /// <summary>What is known of an item.</summary>
    /// <param name="sequence">Its sequence number.</param>
    public Assignment Read(long sequence) => table.Read(sequence);

    /// <summary>Writes an item's assignment and counts it.</summary>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="assignment">The assignment.</param>
    public void Write(long sequence, in Assignment assignment)
    {
        Assignment old = table.Read(sequence);
        if (old.State != assignment.State || old.Cluster != assignment.Cluster)
        {
            changes.Add(sequence, old, assignment);
        }

        table.Write(sequence, assignment);
        Count(old, -1);
        Count(assignment, +1);
    }

    /// <summary>Stops counting an item that was replaced or deleted, and forgets what was known of it.</summary>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="replacedBy">The item that took its id; null when it was deleted.</param>
    public void Drop(long sequence, long? replacedBy)
    {
        Assignment old = table.Read(sequence);
        Note(sequence, replacedBy, old);
        Count(old, -1);
        table.Write(sequence, Assignment.Pending);
        if (table.Width > 0)
        {
            table.WriteEmbeddings(sequence, new Half[table.Width]);
        }
    }

    /// <summary>Notes a deletion that the process was perhaps killed before it could note.</summary>
    /// <param name="sequence">The item's sequence number.</param>
    public void NoteDeleted(long sequence) => Note(sequence, replacedBy: null, table.Read(sequence));

    // Whose id lives on waits for its first assignment.
    private void Note(long sequence, long? replacedBy, in Assignment old)
    {
        if (replacedBy is null || old.StateOf() != AssignmentState.Pending)
        {
            changes.Add(replacedBy ?? sequence, old, Assignments.Unassigned(replacedBy is null ? AssignmentState.Deleted : AssignmentState.Pending, time.GetUtcNow()));
        }
    }

    private void Count(in Assignment assignment, int sign)
    {
        switch (assignment.StateOf())
        {
            case AssignmentState.Assigned:
                Assigned += sign;
                ClusterCount cluster = _clusters.GetValueOrDefault(assignment.Cluster);
                cluster = new ClusterCount(cluster.Items + sign, cluster.ConfidenceSum + (sign * assignment.Confidence));
                if (cluster.Items == 0)
                {
                    _clusters.Remove(assignment.Cluster);
                }
                else
                {
                    _clusters[assignment.Cluster] = cluster;
                }

                break;
            case AssignmentState.Outlier:
                Outliers += sign;
                break;
            case AssignmentState.Quarantined:
                Quarantined += sign;
                var code = (int)assignment.Cluster;
                _quarantine[code] = _quarantine.GetValueOrDefault(code) + sign;
                return;
            default:
                return;
        }

        var version = _versions.GetValueOrDefault(assignment.ModelVersion) + sign;
        if (version == 0)
        {
            _versions.Remove(assignment.ModelVersion);
        }
        else
        {
            _versions[assignment.ModelVersion] = version;
        }
    }
}

/// <summary>An item's state as the assignment table stores it; the numbers are stored.</summary>
internal enum AssignmentState : byte
{
    /// <summary>No version has seen it.</summary>
    Pending = 0,

    /// <summary>In a cluster.</summary>
    Assigned = 1,

    /// <summary>Seen; no cluster fits. The confidence's field holds the distance to the nearest learned sample.</summary>
    Outlier = 2,

    /// <summary>It cannot be decoded; the cluster's field holds the reason's number.</summary>
    Quarantined = 3,

    /// <summary>It is gone: only what readers of changes are told, never in the table.</summary>
    Deleted = 4,
}

/// <summary>Reads and makes assignments with states that have names.</summary>
internal static class Assignments
{
    /// <summary>An assignment's state.</summary>
    public static AssignmentState StateOf(this in Assignment assignment) => (AssignmentState)assignment.State;

    /// <summary>The state as callers know it.</summary>
    public static ItemState ToState(this AssignmentState state) => state switch
    {
        AssignmentState.Assigned => ItemState.Assigned,
        AssignmentState.Outlier => ItemState.Outlier,
        AssignmentState.Quarantined => ItemState.Quarantined,
        AssignmentState.Deleted => ItemState.Deleted,
        _ => ItemState.Pending,
    };

    /// <summary>An item in a cluster.</summary>
    public static Assignment Assigned(long cluster, float confidence, int version, int embeddedBy, DateTimeOffset time) =>
        new((byte)AssignmentState.Assigned, cluster, confidence, version, embeddedBy, time);

    /// <summary>An item that fits no cluster.</summary>
    public static Assignment Outlier(float distance, int version, int embeddedBy, DateTimeOffset time) =>
        new((byte)AssignmentState.Outlier, 0, distance, version, embeddedBy, time);

    /// <summary>An item that no version has seen, or that is gone.</summary>
    public static Assignment Unassigned(AssignmentState state, DateTimeOffset time) => new((byte)state, 0, 0, 0, 0, time);

    /// <summary>An item that cannot be decoded.</summary>
    public static Assignment Quarantined(int reason, int version, DateTimeOffset time) =>
        new((byte)AssignmentState.Quarantined, reason, 0, version, 0, time);
}

/// <summary>A cluster's members in a shard.</summary>
/// <param name="Items">How many.</param>
/// <param name="ConfidenceSum">The sum of their confidences.</param>
internal readonly record struct ClusterCount(long Items, double ConfidenceSum);
