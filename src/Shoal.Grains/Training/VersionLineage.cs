using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>Decides the cluster ids of a version, and what it makes of the clusters before it.</summary>
internal static class VersionLineage
{
    /// <summary>The ids of a candidate's slots: inherited, or new.</summary>
    /// <param name="descent">How the candidate descends from the published version.</param>
    /// <param name="next">The next id that was never used.</param>
    /// <returns>The id of each slot, what became of clusters, and the next id that was never used.</returns>
    public static (long[] Clusters, ClusterFate[] Fates, long Next) Of(ClusterDescent descent, long next)
    {
        var fates = new List<ClusterFate>();
        var clusters = new long[descent.Inherited.Length];
        foreach (var (slot, inherited) in descent.Inherited.Index())
        {
            clusters[slot] = inherited switch { > 0 => inherited, 0 => next++, _ => 0 };
            if (inherited == 0)
            {
                var (parent, size) = (descent.Parents[slot], descent.Sizes[slot]);
                fates.Add(parent > 0
                    ? new ClusterFate(clusters[slot], "split", parent, $"{size:N0} rehearsed samples, most of them of cluster {parent} before")
                    : new ClusterFate(clusters[slot], "born", null, $"{size:N0} rehearsed samples that were together in no cluster before"));
            }
        }

        foreach ((var cluster, var heir) in descent.Heirs.OrderBy(h => h.Key))
        {
            fates.Add(heir >= 0 && clusters[heir] > 0
                ? new ClusterFate(cluster, "merged", clusters[heir], $"most of its rehearsed samples are in cluster {clusters[heir]} now")
                : new ClusterFate(cluster, "died", null, "no cluster holds half of its rehearsed samples now"));
        }

        return (clusters, [.. fates], next);
    }

    /// <summary>What becomes of clusters when an earlier version takes the published one's place.</summary>
    /// <param name="published">The published version.</param>
    /// <param name="earlier">The earlier one.</param>
    public static ClusterFate[] Between(PublishedVersion published, PublishedVersion earlier) =>
    [
        .. earlier.Clusters.Except(published.Clusters).Where(id => id > 0).Order()
            .Select(id => new ClusterFate(id, "restored", null, $"it was in version {earlier.Version}")),
        .. published.Clusters.Except(earlier.Clusters).Where(id => id > 0).Order()
            .Select(id => new ClusterFate(id, "died", null, $"it was not in version {earlier.Version}")),
    ];
}
