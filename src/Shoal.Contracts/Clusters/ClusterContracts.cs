using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>Names and redirects of clusters: what a shard needs to answer with a name at once.</summary>
[GenerateSerializer, Immutable, Alias("shoal.cluster-directory")]
public sealed record ClusterDirectory
{
    /// <summary>Counts changes; a directory never replaces one with a higher number.</summary>
    [Id(0)] public long Revision { get; init; }

    /// <summary>Names by cluster id; only named clusters are here.</summary>
    [Id(1)] public required Dictionary<long, string> Names { get; init; }

    /// <summary>Where merged clusters went, by their old id; targets are never redirected themselves.</summary>
    [Id(2)] public required Dictionary<long, long> Redirects { get; init; }

    /// <summary>Ids of clusters that users pinned: versions go on showing them as long as rehearsed samples are of them.</summary>
    [Id(3)] public long[] Pinned { get; init; } = [];

    /// <summary>The cluster that answers for an id.</summary>
    /// <param name="cluster">An id as assigned.</param>
    public long Resolve(long cluster) => Redirects.TryGetValue(cluster, out var target) ? target : cluster;

    /// <summary>The name of a cluster after redirects; null when it has none.</summary>
    /// <param name="cluster">An id after redirects.</param>
    public string? NameOf(long cluster) => Names.GetValueOrDefault(cluster);
}

/// <summary>A cluster as users see it.</summary>
[GenerateSerializer, Immutable, Alias("shoal.cluster-summary")]
public sealed record ClusterSummary
{
    /// <summary>The cluster's id; never reused.</summary>
    [Id(0)] public long Id { get; init; }

    /// <summary>The name that a user gave it; null when nobody did.</summary>
    [Id(1)] public string? Name { get; init; }

    /// <summary>How many items are assigned to it.</summary>
    [Id(2)] public long Count { get; init; }

    /// <summary>Mean confidence of its items, 0 to 1.</summary>
    [Id(3)] public double MeanConfidence { get; init; }

    /// <summary>Its most confident items, best first.</summary>
    [Id(4)] public required Exemplar[] Exemplars { get; init; }

    /// <summary>The model version in which it was born.</summary>
    [Id(5)] public int BornInVersion { get; init; }

    /// <summary>Whether a user pinned it.</summary>
    [Id(6)] public bool Pinned { get; init; }

    /// <summary>Ids that were merged into it, and answer as it.</summary>
    [Id(7)] public long[] Merged { get; init; } = [];
}

/// <summary>One cluster, and what happened to it.</summary>
/// <param name="Cluster">The cluster that answers for the id asked for: another where that was merged, as <see cref="ClusterSummary.Merged"/> says.</param>
/// <param name="History">The events that name it or a cluster that was merged into it, newest first; of the newest 1,000 of the dataset.</param>
public sealed record ClusterDetails(ClusterSummary Cluster, IReadOnlyList<LineageEvent> History);

/// <summary>Something that happened to clusters or versions.</summary>
/// <param name="Time">When.</param>
/// <param name="Kind">
/// What. To clusters: <c>born</c>, <c>split</c>, <c>merged</c>, <c>died</c>, <c>restored</c>; by users: <c>named</c>, <c>pinned</c>, <c>unpinned</c>,
/// <c>unmerged</c>; to a name: <c>name moved</c>; to versions: <c>published</c>, <c>refused</c>, <c>rolled back</c>; to the stream: <c>drift</c>.
/// </param>
/// <param name="Cluster">The cluster; null when it concerns the version or the stream.</param>
/// <param name="ModelVersion">The version it happened in.</param>
/// <param name="Reason">Why, in a sentence.</param>
[GenerateSerializer, Immutable, Alias("shoal.lineage-event")]
public sealed record LineageEvent(
    [property: Id(0)] DateTimeOffset Time,
    [property: Id(1)] string Kind,
    [property: Id(2)] long? Cluster,
    [property: Id(3)] int ModelVersion,
    [property: Id(4)] string Reason);

/// <summary>What became of a cluster in a version.</summary>
/// <param name="Cluster">Its id.</param>
/// <param name="Kind">What: <c>born</c>, <c>split</c> (born out of another), <c>merged</c> (into another), <c>died</c>, <c>restored</c> (by a rollback).</param>
/// <param name="Other">The cluster that it was split from or merged into; null otherwise.</param>
/// <param name="Reason">Why, in a sentence.</param>
[GenerateSerializer, Immutable, Alias("shoal.cluster-fate")]
public sealed record ClusterFate(
    [property: Id(0)] long Cluster, [property: Id(1)] string Kind, [property: Id(2)] long? Other, [property: Id(3)] string Reason);

/// <summary>The registry of a dataset's clusters; it computes nothing. Key: the dataset's name.</summary>
/// <remarks>An edit is durable, and in force for every later query, when its call returns; also while training is paused.</remarks>
[Alias("shoal.clusters")]
public interface IClustersGrain : IGrainWithStringKey
{
    /// <summary>All clusters with counts, confidence and exemplars, largest first.</summary>
    /// <param name="exemplars">How many exemplars a cluster, 0 to 100.</param>
    [AlwaysInterleave, Alias("list")]
    Task<ClusterSummary[]> ListAsync(int exemplars);

    /// <summary>Names a cluster. The name follows what the cluster shows now, should later versions show that in another.</summary>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="name">1 to 100 characters; empty takes the name away.</param>
    /// <exception cref="ShoalException">NotFound (no such cluster), Conflict (another cluster has the name), Invalid.</exception>
    [Alias("name")]
    Task NameAsync(long cluster, string name);

    /// <summary>Names the cluster that most of some items are in. The name follows these items.</summary>
    /// <param name="name">1 to 100 characters.</param>
    /// <param name="examples">Ids of 1 to 100 items.</param>
    /// <returns>The cluster.</returns>
    /// <exception cref="ShoalException">NotFound (an item was never seen), Conflict (they are in several clusters, in none, or another cluster has the name), Invalid.</exception>
    [Alias("name-by-examples")]
    Task<long> NameByExamplesAsync(string name, string[] examples);

    /// <summary>Pins a cluster, so that later versions go on showing it, or lets it go.</summary>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="pinned">True to pin.</param>
    /// <exception cref="ShoalException">NotFound (no such cluster).</exception>
    [Alias("pin")]
    Task PinAsync(long cluster, bool pinned);

    /// <summary>Makes one of two clusters: the larger keeps its id, and the other's answers as it.</summary>
    /// <param name="first">One cluster's id.</param>
    /// <param name="second">The other's.</param>
    /// <returns>The id that stays.</returns>
    /// <exception cref="ShoalException">NotFound (no such cluster), Invalid (both are the same).</exception>
    [Alias("merge")]
    Task<long> MergeAsync(long first, long second);

    /// <summary>Takes a merge by hand back.</summary>
    /// <param name="cluster">The id that was merged into another.</param>
    /// <exception cref="ShoalException">NotFound (nobody merged it).</exception>
    [Alias("unmerge")]
    Task UnmergeAsync(long cluster);

    /// <summary>Names, pins and redirects.</summary>
    [AlwaysInterleave, Alias("directory")]
    Task<ClusterDirectory> GetDirectoryAsync();

    /// <summary>Registers the clusters of a published version, and lets names follow what they name; asked by the model. Safe to repeat.</summary>
    /// <param name="version">The version.</param>
    /// <param name="fates">What became of clusters in it.</param>
    [Alias("register")]
    Task RegisterAsync(PublishedVersion version, ClusterFate[] fates);

    /// <summary>The newest events, newest first.</summary>
    /// <param name="count">How many at most.</param>
    [AlwaysInterleave, Alias("events")]
    Task<LineageEvent[]> GetEventsAsync(int count);

    /// <summary>Events after one, oldest first.</summary>
    /// <param name="after">The number of the last event read; 0 for all that are kept, negative for none.</param>
    /// <param name="count">How many at most.</param>
    [AlwaysInterleave, Alias("events-after")]
    Task<EventSlice> GetEventsAfterAsync(long after, int count);

    /// <summary>Records something that happened to the model; asked by the model.</summary>
    /// <param name="lineageEvent">What happened.</param>
    [Alias("record")]
    Task RecordAsync(LineageEvent lineageEvent);

    /// <summary>Ends the activation without writing; asked by a dataset that is deleted.</summary>
    [Alias("forget")]
    Task ForgetAsync();
}
