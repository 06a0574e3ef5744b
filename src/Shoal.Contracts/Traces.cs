using System.Diagnostics;

namespace Shoal.Contracts;

/// <summary>Shoal's spans: their source, their names, and the tags that they have.</summary>
/// <remarks>A span costs nothing while nobody listens to the source. docs/reference/traces.md says what each holds; a test compares.</remarks>
public static class Traces
{
    /// <summary>The name of the source, for <c>AddSource</c>.</summary>
    public const string SourceName = "Shoal";

    /// <summary>A batch of items on its way to a shard, with every repetition of the call.</summary>
    public const string Ingest = "shoal.ingest";

    /// <summary>A shard's append, until its items are durable.</summary>
    public const string Append = "shoal.append";

    /// <summary>An item's first assignment: a part of the trace of its append, however much later.</summary>
    public const string Assign = "shoal.assign";

    /// <summary>What a shard is asked of its items.</summary>
    public const string Query = "shoal.query";

    /// <summary>The end of a seat's round: refit, judgement, and the way to the model.</summary>
    public const string Round = "shoal.round";

    /// <summary>The parts of a checkpoint on their way to the store.</summary>
    public const string Checkpoint = "shoal.checkpoint";

    /// <summary>The model's decision on a round, and the swap of its manifest.</summary>
    public const string Commit = "shoal.commit";

    /// <summary>The news of a round: its version, its clusters, its shards.</summary>
    public const string Publish = "shoal.publish";

    /// <summary>The tag with the dataset's name.</summary>
    public const string DatasetTag = "shoal.dataset";

    /// <summary>The tag with the shard's number.</summary>
    public const string ShardTag = "shoal.shard";

    /// <summary>The tag with a number of items.</summary>
    public const string ItemsTag = "shoal.items";

    /// <summary>The tag with an item's sequence number in its shard.</summary>
    public const string SequenceTag = "shoal.sequence";

    /// <summary>The tag with the number of a model version.</summary>
    public const string VersionTag = "shoal.version";

    /// <summary>The tag that says what was asked.</summary>
    public const string QueryTag = "shoal.query";

    /// <summary>The tag with the number of a round.</summary>
    public const string RoundTag = "shoal.round";

    /// <summary>The tag with what became of a round: publish, hold or refuse.</summary>
    public const string VerdictTag = "shoal.verdict";

    /// <summary>Where spans are begun.</summary>
    public static ActivitySource Source { get; } = new(SourceName);
}
