using System.Collections.Immutable;
using Shoal.Contracts;

namespace Shoal.Grains.Clusters;

/// <summary>A name that a user gave, and what it names.</summary>
/// <param name="Name">The name.</param>
/// <param name="Cluster">The cluster that bore it when it was given.</param>
/// <param name="Examples">Ids of items that show what is meant: later versions may show them in another cluster.</param>
/// <param name="Edit">The edit that gave it.</param>
internal sealed record GivenName(string Name, long Cluster, ImmutableArray<string> Examples, long Edit);

/// <summary>What users did to clusters. Every method decides what one edit changes; the same instance when it changes nothing.</summary>
/// <param name="Revision">Counts the edits.</param>
/// <param name="Names">Names, in the order in which they were given.</param>
/// <param name="Pins">Ids of pinned clusters.</param>
/// <param name="Merges">Where ids went that users merged into others.</param>
internal sealed record ClusterEdits(
    long Revision, ImmutableArray<GivenName> Names, ImmutableSortedSet<long> Pins, ImmutableSortedDictionary<long, long> Merges)
{
    /// <summary>The longest name, in characters: it must fit a table's column.</summary>
    public const int MaxNameLength = 100;

    public static ClusterEdits None { get; } = new(0, [], [], ImmutableSortedDictionary<long, long>.Empty);

    /// <summary>Names a cluster.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="name">The name; empty takes it away.</param>
    /// <param name="examples">Ids of items that show what is meant.</param>
    /// <param name="bearers">The cluster that bears each given name now; 0 where none does.</param>
    /// <exception cref="ShoalException">Invalid, Conflict.</exception>
    public ClusterEdits Name(long cluster, string name, ImmutableArray<string> examples, IReadOnlyDictionary<string, long> bearers)
    {
        name = name.Trim();
        if (name.Length > MaxNameLength || name.Any(char.IsControl))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A cluster's name has at most {MaxNameLength} characters and no control characters.");
        }

        if (bearers.TryGetValue(name, out var bearer) && bearer != cluster && bearer != 0)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"Cluster {bearer} is called '{name}' already; rename it first.");
        }

        // The cluster's name before, and a name that no cluster bears any more, make room.
        ImmutableArray<GivenName> others = Names.RemoveAll(given =>
            bearers.GetValueOrDefault(given.Name) == cluster || string.Equals(given.Name, name, StringComparison.Ordinal));
        return this with
        {
            Revision = Revision + 1,
            Names = name.Length == 0 ? others : others.Add(new GivenName(name, cluster, examples, Revision + 1)),
        };
    }

    /// <summary>Pins a cluster or lets it go.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="pinned">True to pin.</param>
    public ClusterEdits Pin(long cluster, bool pinned) =>
        Pins.Contains(cluster) == pinned ? this : this with { Revision = Revision + 1, Pins = pinned ? Pins.Add(cluster) : Pins.Remove(cluster) };

    /// <summary>Lets one cluster answer as another.</summary>
    /// <param name="from">The cluster that goes.</param>
    /// <param name="into">The cluster that stays.</param>
    /// <param name="bearers">The cluster that bears each given name now.</param>
    public ClusterEdits Merge(long from, long into, IReadOnlyDictionary<string, long> bearers)
    {
        var named = bearers.Values.Contains(into);
        return this with
        {
            Revision = Revision + 1,
            // One name stays: that of the cluster that stays, or else the other's.
            Names = named ? Names.RemoveAll(given => bearers.GetValueOrDefault(given.Name) == from) : Names,
            Merges = Merges.SetItem(from, into),
        };
    }

    /// <summary>Takes a merge back.</summary>
    /// <param name="cluster">The cluster that went.</param>
    /// <exception cref="ShoalException">NotFound.</exception>
    public ClusterEdits Unmerge(long cluster) => Merges.ContainsKey(cluster)
        ? this with { Revision = Revision + 1, Merges = Merges.Remove(cluster) }
        : throw new ShoalException(ShoalErrorKind.NotFound, $"Nobody merged cluster {cluster} into another.");
}
