namespace Shoal.Contracts;

/// <summary>Which items are listed, and in which order.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-filter")]
public sealed record ItemFilter
{
    /// <summary>Only items of this cluster; an id that was merged stands for the one that answers as it. Null for all.</summary>
    [Id(0)] public long? Cluster { get; init; }

    /// <summary>Only items in this state: pending, assigned, outlier or quarantined. Null for all four.</summary>
    [Id(1)] public ItemState? State { get; init; }

    /// <summary>Only assigned items whose confidence is below this, 0 to 1; null for all.</summary>
    [Id(2)] public float? ConfidenceBelow { get; init; }

    /// <summary>Newest first; otherwise oldest first.</summary>
    [Id(3)] public bool Newest { get; init; }
}

/// <summary>Where a listing stands in one shard.</summary>
/// <param name="Next">The position to go on from: the next one upwards, or, newest first, the one below it is next; -1 to begin.</param>
/// <param name="End">The shard's end when the listing began: what came later is not listed.</param>
[GenerateSerializer, Immutable, Alias("shoal.list-place")]
public readonly record struct ListPlace([property: Id(0)] long Next, [property: Id(1)] long End)
{
    /// <summary>For a listing that has not begun.</summary>
    public static ListPlace Start => new(-1, -1);

    /// <summary>Whether nothing is left.</summary>
    /// <param name="newest">Whether the newest come first.</param>
    public bool IsDone(bool newest) => this != Start && (newest ? Next == 0 : Next >= End);
}

/// <summary>One item of a listing.</summary>
/// <param name="Item">What is known of it.</param>
/// <param name="Place">The position that it is listed for: its own, or that of the item that it replaced since the listing began.</param>
/// <param name="Since">When what stands at that position was stored: listings of shards are merged by it.</param>
[GenerateSerializer, Immutable, Alias("shoal.listed-item")]
public readonly record struct ListedItem([property: Id(0)] ItemAnswer Item, [property: Id(1)] long Place, [property: Id(2)] DateTimeOffset Since);

/// <summary>A part of a shard's listing.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-items")]
public sealed record ShardItems
{
    /// <summary>The items, in the order asked for; none where those looked at do not match.</summary>
    [Id(0)] public required ListedItem[] Items { get; init; }

    /// <summary>Where to go on.</summary>
    [Id(1)] public ListPlace Next { get; init; }

    /// <summary>When the last item looked at was stored: nothing that is left comes before it.</summary>
    [Id(2)] public DateTimeOffset Reached { get; init; }
}

/// <summary>A page of items.</summary>
/// <param name="Items">The items; fewer than asked for, even none, where few of those looked at match.</param>
/// <param name="Cursor">Where to go on; null when all have been listed.</param>
/// <param name="Damaged">Shards that cannot be read before they are repaired; their items are missing.</param>
public sealed record ItemPage(IReadOnlyList<ItemAnswer> Items, string? Cursor, IReadOnlyList<int> Damaged);

/// <summary>Embeddings of a shard's items; items without one are left out.</summary>
[GenerateSerializer, Immutable, Alias("shoal.embedding-slice")]
public sealed record EmbeddingSlice
{
    /// <summary>The items' ids, [N].</summary>
    [Id(0)] public required string[] Ids { get; init; }

    /// <summary>The model version that made each embedding, [N].</summary>
    [Id(1)] public required int[] Versions { get; init; }

    /// <summary>The embeddings, [N, D], little-endian float16, L2-normalised, row by row.</summary>
    [Id(2)] public required byte[] Embeddings { get; init; }

    /// <summary>Values an embedding, D.</summary>
    [Id(3)] public int Width { get; init; }

    /// <summary>Where to read on.</summary>
    [Id(4)] public long Next { get; init; }

    /// <summary>The first sequence number that is not used yet.</summary>
    [Id(5)] public long End { get; init; }
}
