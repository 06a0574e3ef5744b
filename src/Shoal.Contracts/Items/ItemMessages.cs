namespace Shoal.Contracts;

/// <summary>An item as a producer sends it.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-upload")]
public sealed record ItemUpload
{
    /// <summary>The item's id: 1 to 512 bytes of UTF-8, no control characters.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The media type of <see cref="Bytes"/>, for example <c>image/png</c>; <see cref="MediaTypes.RawImage"/> for bare pixels.</summary>
    [Id(1)] public required string MediaType { get; init; }

    /// <summary>The original bytes. The receiver never changes them; neither may the sender after sending.</summary>
    [Id(2)] public required byte[] Bytes { get; init; }

    /// <summary>Optional text fields kept beside the item; never seen by the learner.</summary>
    [Id(3)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether other bytes under the same id replace the item instead of being a conflict.</summary>
    [Id(4)] public bool Replace { get; init; }
}

/// <summary>Media types with a meaning of their own here.</summary>
public static class MediaTypes
{
    /// <summary>Bare uint8 pixels, height x width x channels, row by row, of exactly the dataset's size.</summary>
    public const string RawImage = "image/x-raw";

    /// <summary>Some image whose format its first bytes tell.</summary>
    public const string AnyImage = "image/*";

    /// <summary>Bare samples of sound: 16 bits, little-endian, one channel, at the dataset's rate.</summary>
    public const string RawSound = "audio/x-raw";

    /// <summary>Some sound whose format its first bytes tell.</summary>
    public const string AnySound = "audio/*";
}

/// <summary>Items for one shard, sent together.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-batch")]
public sealed class ItemBatch(ItemUpload[] items)
{
    /// <summary>The items, in the order of arrival.</summary>
    [Id(0)] public ItemUpload[] Items { get; } = items;
}

/// <summary>What became of one item of a batch.</summary>
public enum IngestOutcome
{
    /// <summary>Stored durably now.</summary>
    Accepted,

    /// <summary>Stored durably before, with the same bytes; nothing was done.</summary>
    AlreadyKnown,

    /// <summary>Stored durably now in place of other bytes, as asked for.</summary>
    Replaced,

    /// <summary>Not stored: the id holds other bytes.</summary>
    Conflict,

    /// <summary>Not stored: the item breaks a rule, which the reason names.</summary>
    Rejected,
}

/// <summary>The answer for one item of a batch.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Sequence">Its sequence number in its shard; -1 when it was not stored.</param>
/// <param name="Reason">Why it was not stored, and what to do; null when it was.</param>
[GenerateSerializer, Immutable, Alias("shoal.item-result")]
public readonly record struct ItemResult(
    [property: Id(0)] IngestOutcome Outcome,
    [property: Id(1)] long Sequence,
    [property: Id(2)] string? Reason = null);

/// <summary>The one state that every item is in.</summary>
public enum ItemState
{
    /// <summary>Never seen.</summary>
    Unknown,

    /// <summary>Stored, not yet seen by a published model version.</summary>
    Pending,

    /// <summary>In a cluster.</summary>
    Assigned,

    /// <summary>Seen by a model version; no cluster fits.</summary>
    Outlier,

    /// <summary>Stored, and cannot be decoded; the reason says why.</summary>
    Quarantined,

    /// <summary>Deleted by a user.</summary>
    Deleted,
}

/// <summary>What is known of an item now.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-answer")]
public sealed record ItemAnswer
{
    /// <summary>The item's id.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The item's state.</summary>
    [Id(1)] public ItemState State { get; init; }

    /// <summary>The cluster's id, after redirects; null unless <see cref="State"/> is assigned.</summary>
    [Id(2)] public long? Cluster { get; init; }

    /// <summary>The name that a user gave the cluster; null when nobody did.</summary>
    [Id(3)] public string? ClusterName { get; init; }

    /// <summary>Softmax probability of the assigned cluster, 0 to 1.</summary>
    [Id(4)] public float Confidence { get; init; }

    /// <summary>The model version that made the assignment; 0 when none did.</summary>
    [Id(5)] public int ModelVersion { get; init; }

    /// <summary>How many versions behind the published one the assignment is.</summary>
    [Id(6)] public int VersionsBehind { get; init; }

    /// <summary>For how many seconds a newer version than <see cref="ModelVersion"/> has been out; 0 when none is.</summary>
    [Id(7)] public double SecondsBehind { get; init; }

    /// <summary>Why the item is quarantined; null unless it is.</summary>
    [Id(8)] public string? Reason { get; init; }

    /// <summary>The shard that owns the item.</summary>
    [Id(9)] public int Shard { get; init; }

    /// <summary>The item's sequence number in its shard; -1 when unknown.</summary>
    [Id(10)] public long Sequence { get; init; } = -1;

    /// <summary>When the item was stored; null when unknown.</summary>
    [Id(11)] public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>How far an outlier is from the nearest sample that the version learned: 1 - cosine, 0 to 2; null unless the item is one.</summary>
    [Id(12)] public float? Distance { get; init; }
}

/// <summary>An item's original bytes.</summary>
[GenerateSerializer, Immutable, Alias("shoal.item-content")]
public sealed record ItemContent
{
    /// <summary>The item's id.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The media type it was sent with.</summary>
    [Id(1)] public required string MediaType { get; init; }

    /// <summary>The original bytes.</summary>
    [Id(2)] public required byte[] Bytes { get; init; }

    /// <summary>The metadata it was sent with; null when none was.</summary>
    [Id(3)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When it was stored.</summary>
    [Id(4)] public DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>What a published model version says of bytes that are not stored.</summary>
[GenerateSerializer, Immutable, Alias("shoal.classification")]
public sealed record Classification
{
    /// <summary>Assigned, outlier, quarantined (undecodable), or pending when no version is published yet.</summary>
    [Id(0)] public ItemState State { get; init; }

    /// <summary>The cluster's id, after redirects; null unless assigned.</summary>
    [Id(1)] public long? Cluster { get; init; }

    /// <summary>The name that a user gave the cluster; null when nobody did.</summary>
    [Id(2)] public string? ClusterName { get; init; }

    /// <summary>Softmax probability of the assigned cluster, 0 to 1.</summary>
    [Id(3)] public float Confidence { get; init; }

    /// <summary>The model version that answered; 0 when none is published.</summary>
    [Id(4)] public int ModelVersion { get; init; }

    /// <summary>Why nothing could be said; null when something was.</summary>
    [Id(5)] public string? Reason { get; init; }

    /// <summary>The embedding, little-endian float16, L2-normalised; null unless asked for.</summary>
    [Id(6)] public byte[]? Embedding { get; init; }

    /// <summary>How far it is from the nearest sample that the version learned: 1 - cosine, 0 to 2; null when nothing could be said.</summary>
    [Id(7)] public float? Distance { get; init; }
}

/// <summary>An item that lies near another in embedding space.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="Similarity">Cosine similarity of the two embeddings, -1 to 1.</param>
/// <param name="Cluster">The item's cluster after redirects; null when it has none.</param>
[GenerateSerializer, Immutable, Alias("shoal.similar-item")]
public readonly record struct SimilarItem(
    [property: Id(0)] string Id,
    [property: Id(1)] float Similarity,
    [property: Id(2)] long? Cluster);

/// <summary>The items nearest to one, best first.</summary>
[GenerateSerializer, Immutable, Alias("shoal.similar-answer")]
public sealed record SimilarAnswer
{
    /// <summary>The neighbours, most similar first.</summary>
    [Id(0)] public required SimilarItem[] Items { get; init; }

    /// <summary>The model version whose embeddings ranked them.</summary>
    [Id(1)] public int ModelVersion { get; init; }

    /// <summary>The share of the dataset's items that were compared: those embedded by this version. 0 to 1.</summary>
    [Id(2)] public double Coverage { get; init; }
}
