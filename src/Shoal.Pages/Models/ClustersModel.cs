using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>The clusters of a dataset.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="IsSound">Whether items are windows of recordings, to be played.</param>
/// <param name="Clusters">The clusters, largest first.</param>
/// <param name="Marks">What happened, on a time line.</param>
public sealed record ClustersModel(string Dataset, bool IsSound, IReadOnlyList<ClusterCard> Clusters, IReadOnlyList<Mark> Marks);

/// <summary>One cluster.</summary>
/// <param name="Summary">What is known of it.</param>
/// <param name="Counts">How many items it had, over seconds, since somebody began to watch.</param>
public sealed record ClusterCard(ClusterSummary Summary, IReadOnlyList<Reading> Counts)
{
    /// <summary>What it is called.</summary>
    public string Title => Texts.Cluster(Summary.Id, Summary.Name);

    /// <summary>How many items it gained, or lost, since somebody began to watch.</summary>
    public long Gain => Counts.Count < 2 ? 0 : (long)(Counts[^1].Value - Counts[0].Value);

    /// <summary>The same in words.</summary>
    public string Trend => Gain switch
    {
        > 0 => $"{Texts.Count(Gain)} more",
        < 0 => $"{Texts.Count(-Gain)} fewer",
        _ => "unchanged",
    };
}

/// <summary>Reads the clusters; keeps their sizes from one reading to the next.</summary>
/// <param name="source">Where from.</param>
/// <param name="dataset">The dataset's name.</param>
/// <param name="time">The clock.</param>
internal sealed class ClustersReader(IShoalSource source, string dataset, TimeProvider time)
{
    /// <summary>Exemplars shown of a cluster: two rows on a phone.</summary>
    private const int Exemplars = 12;

    private const int Events = 200;
    private const int Counts = 60;

    private readonly Dictionary<long, History> _counts = [];
    private long? _began;

    /// <summary>Reads.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">They cannot be read.</exception>
    public async Task<ClustersModel> ReadAsync(CancellationToken cancellationToken)
    {
        Task<LineageEvent[]> events = source.EventsAsync(dataset, Events, cancellationToken);
        Task<DatasetStatus> status = source.StatusAsync(dataset, cancellationToken);
        ClusterSummary[] clusters = await source.ClustersAsync(dataset, Exemplars, cancellationToken);
        double now = time.GetElapsedTime(_began ??= time.GetTimestamp()).TotalSeconds;
        foreach (long gone in _counts.Keys.Except(clusters.Select(cluster => cluster.Id)).ToArray())
        {
            _counts.Remove(gone);
        }

        return new ClustersModel(
            dataset, (await status).Settings.Modality is DatasetSettings.Sound, Array.ConvertAll(clusters, cluster => Card(cluster, now)), Timeline.Of(await events));
    }

    private ClusterCard Card(ClusterSummary cluster, double now)
    {
        if (!_counts.TryGetValue(cluster.Id, out History? counts))
        {
            _counts[cluster.Id] = counts = new History(Counts);
        }

        counts.Add(now, cluster.Count);
        return new ClusterCard(cluster, counts.Readings);
    }
}
