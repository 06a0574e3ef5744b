namespace Shoal.Contracts;

/// <summary>A change of an item: of its state, or of the cluster that it is in. Confidence alone is none.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-change")]
public sealed record ItemChange
{
    /// <summary>The item's id; null when it was deleted and nothing of it is left. <see cref="Shard"/> and <see cref="Sequence"/> tell it then.</summary>
    [Id(0)] public string? Id { get; init; }

    /// <summary>The shard that owns the item.</summary>
    [Id(1)] public int Shard { get; init; }

    /// <summary>The item's sequence number in its shard. Bytes that replaced others under the same id have a new one.</summary>
    [Id(2)] public long Sequence { get; init; }

    /// <summary>The state that it is in since.</summary>
    [Id(3)] public ItemState State { get; init; }

    /// <summary>The cluster's id, after redirects; null unless <see cref="State"/> is assigned.</summary>
    [Id(4)] public long? Cluster { get; init; }

    /// <summary>The name that a user gave the cluster; null when nobody did.</summary>
    [Id(5)] public string? ClusterName { get; init; }

    /// <summary>Softmax probability of the assigned cluster, 0 to 1.</summary>
    [Id(6)] public float Confidence { get; init; }

    /// <summary>The model version that made the assignment; 0 when none did.</summary>
    [Id(7)] public int ModelVersion { get; init; }

    /// <summary>The state that it was in; null where the reader is told how the item stands, and not what changed.</summary>
    [Id(8)] public ItemState? StateBefore { get; init; }

    /// <summary>The cluster that it was in, after redirects; null when it was in none or nothing is said of it.</summary>
    [Id(9)] public long? ClusterBefore { get; init; }

    /// <summary>When it changed.</summary>
    [Id(10)] public DateTimeOffset Time { get; init; }

    /// <summary>Why the item is quarantined; null unless it is.</summary>
    [Id(11)] public string? Reason { get; init; }
}

/// <summary>What became of an item: the changes of its state and of its cluster that its shard still keeps.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-history")]
public sealed record ItemHistory
{
    /// <summary>The item's id.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The changes, newest first.</summary>
    [Id(1)] public required ItemChange[] Changes { get; init; }

    /// <summary>Whether they reach back to when its bytes were stored; otherwise older ones are kept no longer, or fewer were asked for.</summary>
    [Id(2)] public bool ReachesBack { get; init; }
}

/// <summary>Where a reader stands in the changes of one shard.</summary>
/// <param name="Generation">Whose numbers these are; 0 when the reader has none.</param>
/// <param name="Number">The change that it read last; -1 to begin with the next one.</param>
/// <param name="Sweep">The item from which on it is told how they stand; -1 when it knows.</param>
/// <param name="Behind">Whether it knew of items before, so that it has to be told of those that are gone.</param>
[GenerateSerializer, Immutable, Alias("shoal.feed-place")]
public readonly record struct FeedPlace(
    [property: Id(0)] uint Generation, [property: Id(1)] long Number, [property: Id(2)] long Sweep, [property: Id(3)] bool Behind)
{
    /// <summary>For a reader that knows nothing: it is told how all items stand, and then of every change.</summary>
    public static FeedPlace Start => new(0, 0, 0, Behind: false);

    /// <summary>For a reader that wants to know only what comes.</summary>
    public static FeedPlace End => new(0, -1, -1, Behind: false);
}

/// <summary>Changes of one shard's items, in their order.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-changes")]
public sealed record ShardChanges
{
    /// <summary>The changes, oldest first.</summary>
    [Id(0)] public required ItemChange[] Items { get; init; }

    /// <summary>Where to read on.</summary>
    [Id(1)] public FeedPlace Next { get; init; }

    /// <summary>Whether there is more now.</summary>
    [Id(2)] public bool More { get; init; }
}

/// <summary>Events of a dataset with their numbers.</summary>
/// <param name="First">The number of the first one; numbers are dense, from 1.</param>
/// <param name="Events">The events, oldest first.</param>
/// <param name="End">The number of the newest event there is; 0 when there is none.</param>
[GenerateSerializer, Immutable, Alias("shoal.event-slice")]
public sealed record EventSlice([property: Id(0)] long First, [property: Id(1)] LineageEvent[] Events, [property: Id(2)] long End);

/// <summary>One thing that changed: an item, or something that happened to clusters, versions or the stream.</summary>
/// <param name="Item">What changed of an item; null when it is an event.</param>
/// <param name="Event">What happened; null when it is an item.</param>
public sealed record Change(ItemChange? Item, LineageEvent? Event);

/// <summary>Changes, and where to read on.</summary>
/// <param name="Changes">The changes; those of one shard in their order, and events in theirs.</param>
/// <param name="Cursor">Where to read on. Keep it once the page is worked through.</param>
/// <param name="More">Whether there is more now.</param>
/// <param name="Damaged">Shards that cannot be read before they are repaired; their changes come then.</param>
public sealed record ChangePage(IReadOnlyList<Change> Changes, string Cursor, bool More, IReadOnlyList<int> Damaged);
