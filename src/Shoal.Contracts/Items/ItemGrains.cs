using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>A façade over one item, for callers who want a grain per item. It owns nothing and asks the shard. Key: <see cref="GrainKeys.Item"/>.</summary>
[Alias("shoal.item")]
public interface IItemGrain : IGrainWithStringKey
{
    /// <summary>What is known of the item now.</summary>
    [AlwaysInterleave, Alias("get")]
    Task<ItemAnswer> GetAsync();
}

/// <summary>A fixed slice of a dataset's items: their log, positions and assignments. Key: <see cref="GrainKeys.Shard"/>.</summary>
[Alias("shoal.shard")]
public interface IShardGrain : IGrainWithStringKey
{
    /// <summary>Stores items durably; returns after the log's append is confirmed. Safe to repeat.</summary>
    /// <param name="batch">Items of this shard.</param>
    /// <param name="cancellationToken">Stops the wait, not an append under way.</param>
    /// <returns>One result an item, in the batch's order.</returns>
    /// <exception cref="ShoalException">Overloaded (queue full), Unavailable (storage away), NotFound (no such dataset).</exception>
    [Alias("append")]
    Task<ItemResult[]> AppendAsync(ItemBatch batch, CancellationToken cancellationToken = default);

    /// <summary>Deletes items; returns when that is durable. Safe to repeat.</summary>
    /// <param name="ids">Ids of items of this shard.</param>
    /// <returns>For each id, in order: false when no item ever had it.</returns>
    /// <exception cref="ShoalException">Overloaded (queue full), Unavailable (storage away).</exception>
    [Alias("delete")]
    Task<bool[]> DeleteAsync(string[] ids);

    /// <summary>Which of some items were deleted or replaced: what a replica must forget.</summary>
    /// <param name="sequences">Sequence numbers of this shard.</param>
    /// <returns>Those of them.</returns>
    [AlwaysInterleave, Alias("gone")]
    Task<long[]> GetGoneAsync(long[] sequences);

    /// <summary>What is known of some items now.</summary>
    /// <param name="ids">Ids of items of this shard.</param>
    [AlwaysInterleave, Alias("query")]
    Task<ItemAnswer[]> QueryAsync(string[] ids);

    /// <summary>What is known of one item now: the hot path, answered from memory and the page cache.</summary>
    /// <param name="id">The id of an item of this shard.</param>
    [AlwaysInterleave, Alias("get")]
    Task<ItemAnswer> GetAsync(string id);

    /// <summary>What the published version makes of one item: where its assignment is older, it is assigned before the answer.</summary>
    /// <param name="id">The id of an item of this shard.</param>
    /// <exception cref="ShoalException">Overloaded, Unavailable (storage away).</exception>
    [AlwaysInterleave, Alias("get-fresh")]
    Task<ItemAnswer> GetFreshAsync(string id);

    /// <summary>The original bytes of an item; null when it is unknown or deleted.</summary>
    /// <param name="id">The id of an item of this shard.</param>
    [AlwaysInterleave, Alias("content")]
    Task<ItemContent?> GetContentAsync(string id);

    /// <summary>The embedding of an item by the published version; null when it has none yet.</summary>
    /// <param name="id">The id of an item of this shard.</param>
    [AlwaysInterleave, Alias("embedding")]
    Task<EmbeddingAnswer?> GetEmbeddingAsync(string id);

    /// <summary>Reads durable items from a position on, for a replica.</summary>
    /// <param name="from">The first sequence number wanted.</param>
    /// <param name="maxItems">The most items returned.</param>
    /// <param name="maxBytes">Stops after the item that passes this many bytes.</param>
    [AlwaysInterleave, Alias("read")]
    Task<LogSlice> ReadAsync(long from, int maxItems, int maxBytes);

    /// <summary>Reads durable items from a position on as they were sent, for a subscriber.</summary>
    /// <param name="from">The first sequence number wanted.</param>
    /// <param name="maxItems">The most items returned.</param>
    /// <param name="maxBytes">Stops after the item that passes this many bytes.</param>
    [AlwaysInterleave, Alias("read-items")]
    Task<ItemSlice> ReadItemsAsync(long from, int maxItems, int maxBytes);

    /// <summary>The nearest items of this shard to an embedding, best first.</summary>
    /// <param name="embedding">Little-endian float16, L2-normalised.</param>
    /// <param name="modelVersion">The version that made it; only items embedded by it are compared.</param>
    /// <param name="count">How many.</param>
    [AlwaysInterleave, Alias("similar")]
    Task<ShardSimilar> FindSimilarAsync(byte[] embedding, int modelVersion, int count);

    /// <summary>What changed since a reader looked last, each change at least once and in order.</summary>
    /// <param name="after">Where the reader stands.</param>
    /// <param name="limit">The most changes returned, 1 to 10,000.</param>
    [AlwaysInterleave, Alias("changes")]
    Task<ShardChanges> GetChangesAsync(FeedPlace after, int limit);

    /// <summary>What became of an item, as far as its changes are kept; null when it is unknown or deleted.</summary>
    /// <param name="id">The id of an item of this shard.</param>
    /// <param name="limit">The most changes returned, 1 to 1,000.</param>
    [AlwaysInterleave, Alias("history")]
    Task<ItemHistory?> GetHistoryAsync(string id, int limit);

    /// <summary>Items of this shard, part by part. It looks at a bounded number of them in a call, and may find none that match.</summary>
    /// <param name="filter">Which items, and in which order.</param>
    /// <param name="from">Where the listing stands.</param>
    /// <param name="limit">The most items returned, 1 to 1,000.</param>
    [AlwaysInterleave, Alias("list")]
    Task<ShardItems> ListAsync(ItemFilter filter, ListPlace from, int limit);

    /// <summary>Embeddings of this shard's items, part by part. It looks at a bounded number of items in a call, and may find none that have one.</summary>
    /// <param name="from">The first sequence number looked at.</param>
    /// <param name="maxItems">The most items returned, 1 to 1,000.</param>
    [AlwaysInterleave, Alias("embeddings")]
    Task<EmbeddingSlice> ReadEmbeddingsAsync(long from, int maxItems);

    /// <summary>The members of this shard's clusters: counts, mean confidence and the most confident items.</summary>
    /// <param name="exemplars">How many exemplars a cluster.</param>
    [AlwaysInterleave, Alias("members")]
    Task<ShardMembers> GetMembersAsync(int exemplars);

    /// <summary>Counts and lags of this shard.</summary>
    [AlwaysInterleave, Alias("status")]
    Task<ShardStatus> GetStatusAsync();

    /// <summary>Tells the shard of the dataset's current settings, version and clusters; a lost call is made up for by polling.</summary>
    /// <param name="announcement">What holds now.</param>
    [AlwaysInterleave, Alias("announce")]
    Task AnnounceAsync(DatasetAnnouncement announcement);

    /// <summary>Closes the log and ends the activation; asked by the dataset.</summary>
    /// <param name="removeSidecars">Whether the rebuildable files go too, because the dataset is deleted.</param>
    [Alias("close")]
    Task CloseAsync(bool removeSidecars);
}

/// <summary>An item's embedding and the version that made it.</summary>
/// <param name="ModelVersion">The version.</param>
/// <param name="Embedding">Little-endian float16, L2-normalised.</param>
[GenerateSerializer, Immutable, Alias("shoal.embedding-answer")]
public sealed record EmbeddingAnswer([property: Id(0)] int ModelVersion, [property: Id(1)] byte[] Embedding);

/// <summary>One item read back from a shard's log.</summary>
/// <param name="Sequence">Its sequence number.</param>
/// <param name="MediaType">The media type it was sent with.</param>
/// <param name="Bytes">The original bytes.</param>
[GenerateSerializer, Immutable, Alias("shoal.log-item")]
public readonly record struct LogItem(
    [property: Id(0)] long Sequence,
    [property: Id(1)] string MediaType,
    [property: Id(2)] byte[] Bytes);

/// <summary>Items read from a shard's log; deleted and replaced ones are left out.</summary>
[GenerateSerializer, Immutable, Alias("shoal.log-slice")]
public sealed record LogSlice
{
    /// <summary>The items, in the order of their sequence numbers.</summary>
    [Id(0)] public required LogItem[] Items { get; init; }

    /// <summary>Where to read on.</summary>
    [Id(1)] public long Next { get; init; }

    /// <summary>The first sequence number that is not durable yet.</summary>
    [Id(2)] public long End { get; init; }
}

/// <summary>An item as it was sent, and where it stands.</summary>
/// <param name="Sequence">Its sequence number.</param>
/// <param name="Item">The item.</param>
[GenerateSerializer, Immutable, Alias("shoal.stored-item")]
public readonly record struct StoredItem([property: Id(0)] long Sequence, [property: Id(1)] ItemUpload Item);

/// <summary>Items read from a shard's log as they were sent; deleted and replaced ones are left out.</summary>
/// <param name="Items">The items, in the order of their sequence numbers.</param>
/// <param name="Next">Where to read on.</param>
/// <param name="End">The first sequence number that is not durable yet.</param>
[GenerateSerializer, Immutable, Alias("shoal.item-slice")]
public sealed record ItemSlice([property: Id(0)] StoredItem[] Items, [property: Id(1)] long Next, [property: Id(2)] long End);

/// <summary>Neighbours found in one shard.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-similar")]
public sealed record ShardSimilar
{
    /// <summary>The neighbours, most similar first.</summary>
    [Id(0)] public required SimilarItem[] Items { get; init; }

    /// <summary>How many items were compared.</summary>
    [Id(1)] public long Compared { get; init; }

    /// <summary>How many items the shard holds.</summary>
    [Id(2)] public long Total { get; init; }
}

/// <summary>One cluster's members in one shard.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-cluster")]
public sealed record ShardCluster
{
    /// <summary>The cluster's id as assigned, before redirects.</summary>
    [Id(0)] public long Cluster { get; init; }

    /// <summary>How many items.</summary>
    [Id(1)] public long Count { get; init; }

    /// <summary>The sum of their confidences.</summary>
    [Id(2)] public double ConfidenceSum { get; init; }

    /// <summary>The most confident items, best first.</summary>
    [Id(3)] public required Exemplar[] Exemplars { get; init; }
}

/// <summary>An item shown for a cluster.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="Confidence">Its confidence, 0 to 1.</param>
[GenerateSerializer, Immutable, Alias("shoal.exemplar")]
public readonly record struct Exemplar([property: Id(0)] string Id, [property: Id(1)] float Confidence);

/// <summary>The members of all clusters in one shard.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-members")]
public sealed record ShardMembers
{
    /// <summary>One entry a cluster that has members here.</summary>
    [Id(0)] public required ShardCluster[] Clusters { get; init; }
}

/// <summary>Counts and lags of one shard.</summary>
[GenerateSerializer, Immutable, Alias("shoal.shard-status")]
public sealed record ShardStatus
{
    /// <summary>The shard's number.</summary>
    [Id(0)] public int Shard { get; init; }

    /// <summary>The first sequence number that is not used yet.</summary>
    [Id(1)] public long End { get; init; }

    /// <summary>Items that are not deleted or replaced.</summary>
    [Id(2)] public long Items { get; init; }

    /// <summary>Items waiting for their first assignment.</summary>
    [Id(3)] public long Pending { get; init; }

    /// <summary>Items in a cluster.</summary>
    [Id(4)] public long Assigned { get; init; }

    /// <summary>Items that fit no cluster.</summary>
    [Id(5)] public long Outliers { get; init; }

    /// <summary>Items that cannot be decoded.</summary>
    [Id(6)] public long Quarantined { get; init; }

    /// <summary>Quarantined items by reason.</summary>
    [Id(7)] public required Dictionary<string, long> QuarantineReasons { get; init; }

    /// <summary>Items refused at the door since activation, by reason.</summary>
    [Id(8)] public required Dictionary<string, long> RejectReasons { get; init; }

    /// <summary>Assigned items whose assignment is older than the published version.</summary>
    public long Stale => StaleItems.Sum(stale => stale.Items);

    /// <summary>The same by how far behind they are, nearest first.</summary>
    [Id(9)] public StaleItems[] StaleItems { get; init; } = [];

    /// <summary>Bytes in the shard's log.</summary>
    [Id(10)] public long LogBytes { get; init; }

    /// <summary>Storage syncs since activation.</summary>
    [Id(11)] public long Syncs { get; init; }

    /// <summary>The published version that the shard assigns by; 0 when none.</summary>
    [Id(12)] public int ModelVersion { get; init; }

    /// <summary>Why the shard cannot be used, or not wholly: its log is damaged; null when all is well.</summary>
    [Id(13)] public string? Problem { get; init; }
}

/// <summary>Items whose assignments are as far behind the published version.</summary>
/// <param name="VersionsBehind">How many versions, from 1 on.</param>
/// <param name="SecondsBehind">For how many seconds a newer version has been out.</param>
/// <param name="Items">How many items.</param>
[GenerateSerializer, Immutable, Alias("shoal.stale-items")]
public readonly record struct StaleItems(
    [property: Id(0)] int VersionsBehind, [property: Id(1)] double SecondsBehind, [property: Id(2)] long Items);

/// <summary>A hint that a shard's log has grown.</summary>
/// <param name="Shard">The shard's number.</param>
/// <param name="End">The first sequence number that is not used yet.</param>
[GenerateSerializer, Immutable, Alias("shoal.arrival-hint")]
public readonly record struct ArrivalHint([property: Id(0)] int Shard, [property: Id(1)] long End);
