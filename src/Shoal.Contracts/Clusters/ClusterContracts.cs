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
}

/// <summary>Something that happened to clusters or versions.</summary>
/// <param name="Time">When.</param>
/// <param name="Kind">What: <c>born</c>, <c>named</c>, <c>published</c>, <c>refused</c>, <c>drift</c>.</param>
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

/// <summary>The registry of a dataset's clusters; it computes nothing. Key: the dataset's name.</summary>
[Alias("shoal.clusters")]
public interface IClustersGrain : IGrainWithStringKey
{
    /// <summary>All clusters with counts, confidence and exemplars, largest first.</summary>
    /// <param name="exemplars">How many exemplars a cluster, 0 to 100.</param>
    [AlwaysInterleave, Alias("list")]
    Task<ClusterSummary[]> ListAsync(int exemplars);

    /// <summary>Names a cluster; durable, and in force for every later query, when it returns.</summary>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="name">1 to 100 characters; empty takes the name away.</param>
    /// <exception cref="ShoalException">NotFound (no such cluster), Conflict (another cluster has the name), Invalid.</exception>
    [Alias("name")]
    Task NameAsync(long cluster, string name);

    /// <summary>Names and redirects.</summary>
    [AlwaysInterleave, Alias("directory")]
    Task<ClusterDirectory> GetDirectoryAsync();

    /// <summary>Registers the clusters of a published version; asked by the model.</summary>
    /// <param name="version">The version.</param>
    [Alias("register")]
    Task RegisterAsync(PublishedVersion version);

    /// <summary>The newest events, newest first.</summary>
    /// <param name="count">How many at most.</param>
    [AlwaysInterleave, Alias("events")]
    Task<LineageEvent[]> GetEventsAsync(int count);

    /// <summary>Records something that happened to the model; asked by the model.</summary>
    /// <param name="lineageEvent">What happened.</param>
    [Alias("record")]
    Task RecordAsync(LineageEvent lineageEvent);

    /// <summary>Ends the activation without writing; asked by a dataset that is deleted.</summary>
    [Alias("forget")]
    Task ForgetAsync();
}
