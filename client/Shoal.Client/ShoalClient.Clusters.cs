using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Clusters and what happened to them.</content>
public sealed partial class ShoalClient
{
    /// <summary>The longest name of a cluster, in characters.</summary>
    private const int MaxClusterName = 100;

    /// <summary>As many events as the registry keeps.</summary>
    private const int MaxEvents = 1_000;

    /// <summary>All clusters with counts, confidence and exemplars, largest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="exemplars">How many exemplars a cluster, 0 to 100.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<ClusterSummary[]> ClustersAsync(string dataset, int exemplars = 5, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(exemplars), exemplars, 0, 100);
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        return await CallAsync(() => clusters.ListAsync(exemplars), cancellationToken);
    }

    /// <summary>One cluster with its history.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">Its id; one that was merged into another answers as that one.</param>
    /// <param name="exemplars">How many exemplars, 0 to 100.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset or cluster), Unavailable.</exception>
    public async Task<ClusterDetails> ClusterAsync(string dataset, long cluster, int exemplars = 5, CancellationToken cancellationToken = default)
    {
        ClusterSummary[] all = await ClustersAsync(dataset, exemplars, cancellationToken);
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        ClusterSummary found = Array.Find(all, c => c.Id == cluster || c.Merged.Contains(cluster))
            ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no cluster {cluster} in the dataset '{dataset}'; see them with: shoal clusters {dataset}");
        LineageEvent[] events = await CallAsync(() => clusters.GetEventsAsync(MaxEvents), cancellationToken);
        return new ClusterDetails(found, [.. events.Where(e => e.Cluster is { } named && (named == found.Id || found.Merged.Contains(named)))]);
    }

    /// <summary>Names a cluster; durable, and in force for every later query, when it returns.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="name">1 to 100 characters; empty takes the name away.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset or cluster), Conflict (another cluster has the name), Unavailable.</exception>
    public async Task NameClusterAsync(string dataset, long cluster, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length > MaxClusterName || name.Any(char.IsControl))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The cluster's name must have at most {MaxClusterName} characters, none of them a control character.");
        }

        await EditAsync(dataset, clusters => clusters.NameAsync(cluster, name), cancellationToken);
    }

    /// <summary>Names the cluster that most of some items are in; durable, and in force for every later query, when it returns.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="name">1 to 100 characters.</param>
    /// <param name="examples">Ids of 1 to 100 items. The name follows them, should later versions show them in another cluster.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The cluster.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset or item), Conflict (they are in several clusters or none, or another cluster has the name), Unavailable.</exception>
    public async Task<long> NameByExamplesAsync(string dataset, string name, IReadOnlyCollection<string> examples, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(examples);
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        return await CallAsync(() => clusters.NameByExamplesAsync(name, [.. examples]), cancellationToken);
    }

    /// <summary>Pins a cluster, so that later versions go on showing it, or lets it go; durable when it returns.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="pinned">True to pin.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset or cluster), Unavailable.</exception>
    public Task PinClusterAsync(string dataset, long cluster, bool pinned = true, CancellationToken cancellationToken = default) =>
        EditAsync(dataset, clusters => clusters.PinAsync(cluster, pinned), cancellationToken);

    /// <summary>Makes one of two clusters; durable, and in force for every later query, when it returns.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="first">One cluster's id.</param>
    /// <param name="second">The other's.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The id that stays: that of the larger; the other answers as it.</returns>
    /// <exception cref="ShoalException">Invalid (both are the same), NotFound (no such dataset or cluster), Unavailable.</exception>
    public async Task<long> MergeClustersAsync(string dataset, long first, long second, CancellationToken cancellationToken = default)
    {
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        return await CallAsync(() => clusters.MergeAsync(first, second), cancellationToken);
    }

    /// <summary>Takes a merge by hand back.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">The id that was merged into another.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset, or nobody merged the cluster), Unavailable.</exception>
    public Task UnmergeClusterAsync(string dataset, long cluster, CancellationToken cancellationToken = default) =>
        EditAsync(dataset, clusters => clusters.UnmergeAsync(cluster), cancellationToken);

    /// <summary>The published version and the earlier ones that can be taken back into use, newest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<PublishedVersion[]> VersionsAsync(string dataset, CancellationToken cancellationToken = default)
    {
        await RouteAsync(dataset, cancellationToken);
        return await CallAsync(() => _cluster.GetGrain<IModelGrain>(dataset).GetVersionsAsync(), cancellationToken);
    }

    /// <summary>Takes an earlier version back into use, as a new version; training goes on from its checkpoint.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="version">One of <see cref="VersionsAsync"/>.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The version that is published now.</returns>
    /// <exception cref="ShoalException">Invalid (it is the published one), NotFound (no such dataset, or the version is not kept), Unavailable.</exception>
    public async Task<PublishedVersion> RollbackAsync(string dataset, int version, CancellationToken cancellationToken = default)
    {
        await RouteAsync(dataset, cancellationToken);
        return await CallAsync(() => _cluster.GetGrain<IModelGrain>(dataset).RollbackAsync(version), cancellationToken);
    }

    /// <summary>What happened to clusters and versions, newest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="count">How many at most, 1 to 10,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<LineageEvent[]> EventsAsync(string dataset, int count = 100, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(count), count, 1, 10_000);
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        return await CallAsync(() => clusters.GetEventsAsync(count), cancellationToken);
    }

    private async Task EditAsync(string dataset, Func<IClustersGrain, Task> edit, CancellationToken cancellationToken)
    {
        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        await CallAsync(() => edit(clusters), cancellationToken);
    }

    // The registry cannot tell an unknown dataset from one without clusters; the dataset's own grain can.
    private async Task<IClustersGrain> RegistryAsync(string dataset, CancellationToken cancellationToken)
    {
        await RouteAsync(dataset, cancellationToken);
        return _cluster.GetGrain<IClustersGrain>(dataset);
    }
}
