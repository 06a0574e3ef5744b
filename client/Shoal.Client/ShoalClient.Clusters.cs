using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Clusters and what happened to them.</content>
public sealed partial class ShoalClient
{
    /// <summary>The longest name of a cluster, in characters.</summary>
    private const int MaxClusterName = 100;

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

        IClustersGrain clusters = await RegistryAsync(dataset, cancellationToken);
        await CallAsync(Set, cancellationToken);

        async Task<bool> Set()
        {
            await clusters.NameAsync(cluster, name);
            return true;
        }
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

    // The registry cannot tell an unknown dataset from one without clusters; the dataset's own grain can.
    private async Task<IClustersGrain> RegistryAsync(string dataset, CancellationToken cancellationToken)
    {
        await RouteAsync(dataset, cancellationToken);
        return _cluster.GetGrain<IClustersGrain>(dataset);
    }
}
