using System.Collections.Immutable;
using Shoal.Contracts;

namespace Shoal.Grains.Clusters;

/// <summary>How long a cluster is shown.</summary>
/// <param name="Born">The version that it was born in.</param>
/// <param name="Ended">The version that showed it no more; null while it is shown.</param>
/// <param name="Into">The cluster that it was merged into then; null when it was not.</param>
internal sealed record ClusterLife(int Born, int? Ended = null, long? Into = null);

/// <summary>Where a name went by itself.</summary>
/// <param name="Edit">The edit that gave the name; another one puts an end to this.</param>
/// <param name="Cluster">The cluster that bears it; 0 where none does.</param>
internal sealed record MovedName(long Edit, long Cluster);

/// <summary>What versions did to clusters, and the newest events.</summary>
/// <param name="Version">The last version that was registered.</param>
/// <param name="Lives">The life of each cluster.</param>
/// <param name="Moved">Names that went to another cluster than the one that they were given to.</param>
/// <param name="Events">Events, oldest first.</param>
internal sealed record ClusterRegistry(
    int Version, ImmutableSortedDictionary<long, ClusterLife> Lives, ImmutableSortedDictionary<string, MovedName> Moved, ImmutableArray<LineageEvent> Events)
{
    // A thousand events are about 200 KB of JSON, rewritten with each version; so are 10,000 clusters that ended.
    private const int MaxEvents = 1_000;
    private const int MaxEnded = 10_000;

    public static ClusterRegistry Empty { get; } =
        new(0, ImmutableSortedDictionary<long, ClusterLife>.Empty, ImmutableSortedDictionary<string, MovedName>.Empty, []);

    /// <summary>Adds a published version; the same instance when it is known.</summary>
    /// <param name="version">The version.</param>
    /// <param name="fates">What became of clusters in it.</param>
    /// <param name="now">When it is registered.</param>
    public ClusterRegistry Register(PublishedVersion version, IReadOnlyList<ClusterFate> fates, DateTimeOffset now)
    {
        if (version.Version <= Version)
        {
            return this;
        }

        ImmutableSortedDictionary<long, ClusterLife>.Builder lives = Lives.ToBuilder();
        foreach (ClusterFate fate in fates)
        {
            ClusterLife life = lives.GetValueOrDefault(fate.Cluster) ?? new ClusterLife(version.Version);
            lives[fate.Cluster] = fate.Kind switch
            {
                "merged" => life with { Ended = version.Version, Into = fate.Other },
                "died" => life with { Ended = version.Version },
                _ => life with { Ended = null, Into = null },
            };
        }

        foreach (var forgotten in lives.Where(life => life.Value.Ended is not null).Select(life => life.Key).Order().ToArray().SkipLast(MaxEnded))
        {
            lives.Remove(forgotten);
        }

        return (this with { Version = version.Version, Lives = lives.ToImmutable() })
            .With(fates.Select(fate => new LineageEvent(now, fate.Kind, fate.Cluster, version.Version, fate.Reason)));
    }

    /// <summary>How many events were dropped: the first one that is kept has the next number.</summary>
    public long Dropped { get; init; }

    /// <summary>The registry with more events, the oldest dropped above the limit.</summary>
    /// <param name="events">The events.</param>
    public ClusterRegistry With(IEnumerable<LineageEvent> events)
    {
        ImmutableArray<LineageEvent> all = Events.AddRange(events);
        var dropped = Math.Max(0, all.Length - MaxEvents);
        return this with { Events = all[dropped..], Dropped = Dropped + dropped };
    }

    /// <summary>Events after one, oldest first.</summary>
    /// <param name="after">The number of the last event read; 0 for all that are kept, negative for none. One that there is not yet counts as 0.</param>
    /// <param name="count">How many at most.</param>
    public EventSlice After(long after, int count)
    {
        var end = Dropped + Events.Length;
        var from = after < 0 ? end : after > end ? Dropped : Math.Max(after, Dropped);
        return new EventSlice(from + 1, [.. Events.Skip((int)(from - Dropped)).Take(count)], end);
    }
}
