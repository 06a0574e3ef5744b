using Shoal.Contracts;

namespace Shoal.Grains.Clusters;

/// <summary>What users did to clusters.</summary>
/// <param name="Revision">Counts the edits.</param>
/// <param name="Names">Names by cluster id.</param>
internal sealed record ClusterEdits(long Revision, Dictionary<long, string> Names)
{
    /// <summary>The longest name, in characters: it must fit a table's column.</summary>
    public const int MaxNameLength = 100;

    public static ClusterEdits None { get; } = new(0, []);

    /// <summary>Decides what naming a cluster changes.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="name">The name; empty takes it away.</param>
    /// <param name="born">The clusters that exist.</param>
    /// <exception cref="ShoalException">NotFound, Invalid, Conflict.</exception>
    public ClusterEdits Name(long cluster, string name, IReadOnlyDictionary<long, int> born)
    {
        name = name.Trim();
        if (!born.ContainsKey(cluster))
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no cluster {cluster}; see them with: shoal clusters NAME");
        }

        if (name.Length > MaxNameLength || name.Any(char.IsControl))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A cluster's name has at most {MaxNameLength} characters and no control characters.");
        }

        foreach ((var id, var taken) in Names)
        {
            if (id != cluster && string.Equals(taken, name, StringComparison.Ordinal))
            {
                throw new ShoalException(ShoalErrorKind.Conflict, $"Cluster {id} is called '{name}' already; rename it first.");
            }
        }

        var names = new Dictionary<long, string>(Names);
        if (name.Length == 0)
        {
            names.Remove(cluster);
        }
        else
        {
            names[cluster] = name;
        }

        return new ClusterEdits(Revision + 1, names);
    }
}

/// <summary>Which clusters were born when, and the newest events.</summary>
/// <param name="Born">The version that each cluster was born in.</param>
/// <param name="Events">Events, oldest first.</param>
internal sealed record ClusterRegistry(Dictionary<long, int> Born, LineageEvent[] Events)
{
    // A thousand events are about 200 KB of JSON, rewritten with each version.
    private const int MaxEvents = 1_000;

    public static ClusterRegistry Empty { get; } = new([], []);

    /// <summary>Decides what a published version adds; the same instance when it adds nothing.</summary>
    /// <param name="version">The version.</param>
    /// <param name="now">When it is registered.</param>
    public ClusterRegistry Register(PublishedVersion version, DateTimeOffset now)
    {
        long[] unborn = [.. version.Clusters.Where(id => !Born.ContainsKey(id)).Distinct()];
        if (unborn.Length == 0)
        {
            return this;
        }

        var born = new Dictionary<long, int>(Born);
        foreach (var id in unborn)
        {
            born.Add(id, version.Version);
        }

        return new ClusterRegistry(born, Events)
            .With(unborn.Select(id => new LineageEvent(now, "born", id, version.Version, $"first prototype in version {version.Version}")));
    }

    /// <summary>The registry with more events, the oldest dropped above the limit.</summary>
    /// <param name="events">The events.</param>
    public ClusterRegistry With(IEnumerable<LineageEvent> events) =>
        this with { Events = [.. Events.Concat(events).TakeLast(MaxEvents)] };
}
