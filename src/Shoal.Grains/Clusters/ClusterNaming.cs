using System.Collections.Immutable;
using Shoal.Contracts;

namespace Shoal.Grains.Clusters;

/// <summary>Puts edits and versions together: which cluster bears a name, and which answers for another.</summary>
internal static class ClusterNaming
{
    /// <summary>The cluster that bears each given name; 0 where none does.</summary>
    public static IReadOnlyDictionary<string, long> Bearers(ClusterEdits edits, ClusterRegistry registry) => Bearers(edits, registry, Redirects(edits, registry));

    /// <summary>What shards answer with.</summary>
    public static ClusterDirectory Directory(ClusterEdits edits, ClusterRegistry registry)
    {
        var names = new Dictionary<long, string>();
        Dictionary<long, long> redirects = Redirects(edits, registry);
        Dictionary<string, long> bearers = Bearers(edits, registry, redirects);
        foreach (GivenName given in edits.Names.Where(given => bearers[given.Name] != 0))
        {
            // Two names for one cluster, since versions united what they named: the one that was given first.
            names.TryAdd(bearers[given.Name], given.Name);
        }

        return new ClusterDirectory
        {
            // Both only grow, and each change of either is another directory.
            Revision = edits.Revision + registry.Version,
            Names = names,
            Redirects = redirects,
            Pinned = [.. edits.Pins],
        };
    }

    /// <summary>Where names go in a new version: with the items that show what they name.</summary>
    /// <param name="edits">The names that users gave.</param>
    /// <param name="registry">With the version.</param>
    /// <param name="shown">The clusters that the version shows.</param>
    /// <param name="places">The cluster of each name's examples in the version, 0 where none fits; a name that is not there has none that can be asked.</param>
    /// <returns>The names that went to another cluster, or to none.</returns>
    public static IReadOnlyDictionary<string, long> Follow(
        ClusterEdits edits, ClusterRegistry registry, IReadOnlyCollection<long> shown, IReadOnlyDictionary<string, long[]> places)
    {
        Dictionary<long, long> redirects = Redirects(edits, registry);
        Dictionary<string, long> bearers = Bearers(edits, registry, redirects);
        var votes = places.ToDictionary(
            place => place.Key, place => place.Value.Where(c => c > 0).Select(c => Resolve(c, redirects)).CountBy(c => c).ToDictionary(), StringComparer.Ordinal);

        bool IsAt(string name, long cluster) => votes.TryGetValue(name, out var counts) && counts.GetValueOrDefault(cluster) * 2 > places[name].Length;
        var moved = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (GivenName given in edits.Names)
        {
            var bearer = bearers[given.Name];
            if (!votes.TryGetValue(given.Name, out Dictionary<long, int>? counts) || IsAt(given.Name, bearer))
            {
                continue;
            }

            var wanted = counts.Keys.FirstOrDefault(cluster => IsAt(given.Name, cluster));
            var taken = edits.Names.Any(other => !ReferenceEquals(other, given) && IsAt(other.Name, wanted)
                && moved.GetValueOrDefault(other.Name, bearers[other.Name]) == wanted);
            if (wanted != 0 && !taken)
            {
                moved[given.Name] = wanted;
            }
            else if (bearer != 0 && (!shown.Contains(bearer) || counts.GetValueOrDefault(bearer) == 0))
            {
                // Better nameless than under a wrong name; it comes back when its examples are together again.
                moved[given.Name] = 0;
            }
        }

        return moved;
    }

    /// <summary>Records where names went.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="edits">The names that users gave.</param>
    /// <param name="moved">As <see cref="Follow"/> gave it.</param>
    /// <param name="now">When.</param>
    public static ClusterRegistry Move(ClusterRegistry registry, ClusterEdits edits, IReadOnlyDictionary<string, long> moved, DateTimeOffset now)
    {
        IReadOnlyDictionary<string, long> bearers = Bearers(edits, registry);
        ImmutableSortedDictionary<string, MovedName> all = registry.Moved
            .RemoveRange(registry.Moved.Where(m => !edits.Names.Any(given => given.Edit == m.Value.Edit)).Select(m => m.Key))
            .SetItems(edits.Names.Where(given => moved.ContainsKey(given.Name))
                .Select(given => KeyValuePair.Create(given.Name, new MovedName(given.Edit, moved[given.Name]))));
        return (registry with { Moved = all }).With(moved.Select(m => new LineageEvent(
            now, "name moved", m.Value == 0 ? null : m.Value, registry.Version,
            m.Value == 0
                ? $"'{m.Key}' is borne by no cluster any more: most of its examples left {bearers[m.Key]} and are not together elsewhere"
                : $"'{m.Key}' followed its examples {(bearers[m.Key] == 0 ? "back" : $"from cluster {bearers[m.Key]}")} to cluster {m.Value}")));
    }

    private static Dictionary<string, long> Bearers(ClusterEdits edits, ClusterRegistry registry, IReadOnlyDictionary<long, long> redirects) =>
        edits.Names.ToDictionary(
            given => given.Name,
            given => Resolve(registry.Moved.GetValueOrDefault(given.Name) is { } moved && moved.Edit == given.Edit ? moved.Cluster : given.Cluster, redirects),
            StringComparer.Ordinal);

    // Users' merges on top of those of versions; chains are followed to their end. A user's merge into a cluster that is gone, or that a
    // version has merged into the other way round, says nothing any more.
    private static Dictionary<long, long> Redirects(ClusterEdits edits, ClusterRegistry registry)
    {
        var steps = registry.Lives.Where(life => life.Value.Into is not null).ToDictionary(life => life.Key, life => life.Value.Into!.Value);
        foreach ((var from, var into) in edits.Merges)
        {
            var end = End(into);
            if (end != from && registry.Lives.GetValueOrDefault(end) is { Ended: null })
            {
                steps[from] = into;
            }
        }

        return steps.Keys.ToDictionary(from => from, End);

        // A cluster is merged only into one that is shown: no step leads back.
        long End(long cluster)
        {
            while (steps.TryGetValue(cluster, out var next))
            {
                cluster = next;
            }

            return cluster;
        }
    }

    private static long Resolve(long cluster, IReadOnlyDictionary<long, long> redirects) => redirects.GetValueOrDefault(cluster, cluster);
}
