using System.Globalization;
using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>Turns answers into what a terminal of 80 columns shows. Pure: nothing is asked and nothing printed.</summary>
public static class ShoalViews
{
    /// <summary>Clusters with their counts, confidence and first exemplars.</summary>
    /// <param name="clusters">The clusters, largest first.</param>
    public static IRenderable Clusters(IReadOnlyList<ClusterSummary> clusters)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        if (clusters.Count == 0)
        {
            return new Text("No clusters yet: no model version is published.");
        }

        Table table = NewTable().AddColumn(Right("cluster")).AddColumn("name").AddColumn(Right("items")).AddColumn(Right("confidence")).AddColumn("exemplars");
        foreach (ClusterSummary cluster in clusters)
        {
            table.AddRow(
                Cell(Number(cluster.Id)),
                Cell((cluster.Name ?? "-") + (cluster.Pinned ? " (pinned)" : string.Empty)),
                Cell(Count(cluster.Count)),
                Cell(Percent(cluster.MeanConfidence)),
                new Text(string.Join(", ", cluster.Exemplars.Select(exemplar => exemplar.Id))) { Overflow = Overflow.Ellipsis });
        }

        return table;
    }

    /// <summary>Versions that can be used.</summary>
    /// <param name="versions">The versions, newest first; the first is the published one.</param>
    public static IRenderable Versions(IReadOnlyList<PublishedVersion> versions)
    {
        ArgumentNullException.ThrowIfNull(versions);
        if (versions.Count == 0)
        {
            return new Text("No model version is published yet.");
        }

        Table table = NewTable().AddColumn(Right("version")).AddColumn("published (UTC)").AddColumn(Right("clusters")).AddColumn("reason");
        foreach (PublishedVersion version in versions)
        {
            table.AddRow(
                Cell(Number(version.Version)),
                Cell($"{version.PublishedAt:yyyy-MM-dd HH:mm:ss}"),
                Cell(Number(version.Clusters.Count(cluster => cluster > 0))),
                new Text(version.Reason));
        }

        return table;
    }

    /// <summary>What happened to versions, clusters and the stream.</summary>
    /// <param name="events">The events, newest first.</param>
    public static IRenderable Events(IReadOnlyList<LineageEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            return new Text("Nothing has happened yet.");
        }

        Table table = NewTable().AddColumn("time (UTC)").AddColumn("event").AddColumn(Right("version")).AddColumn(Right("cluster")).AddColumn("reason");
        foreach (LineageEvent happened in events)
        {
            table.AddRow(
                Cell($"{happened.Time:yyyy-MM-dd HH:mm:ss}"),
                Cell(happened.Kind),
                Cell(happened.ModelVersion > 0 ? Number(happened.ModelVersion) : "-"),
                Cell(happened.Cluster is { } cluster ? Number(cluster) : "-"),
                new Text(happened.Reason));
        }

        return table;
    }

    /// <summary>How much a backup or a restore has copied.</summary>
    /// <param name="status">How far it is.</param>
    public static string Copied(BackupStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return $"{Count(status.Objects)} objects, {Bytes(status.Bytes)}";
    }

    /// <summary>What a repair took out of logs, one a row.</summary>
    /// <param name="damages">At least one.</param>
    public static IRenderable Damages(IReadOnlyList<ShardDamage> damages)
    {
        ArgumentNullException.ThrowIfNull(damages);
        Table table = NewTable().AddColumn(Right("shard")).AddColumn(Right("segment")).AddColumn(Right("offset")).AddColumn(Right("bytes"))
            .AddColumn(Right("first item")).AddColumn(Right("items lost")).AddColumn("saved as");
        foreach (ShardDamage damage in damages)
        {
            table.AddRow(
                Cell(Number(damage.Shard)),
                Cell(Number(damage.Segment)),
                Cell(Number(damage.Offset)),
                Cell(Number(damage.Bytes)),
                Cell(Number(damage.FirstSequence)),
                Cell(Number(damage.Items)),
                new Text(damage.SavedAs));
        }

        return table;
    }

    /// <summary>One dataset in a panel: what it holds, how far assignment and training are, what training does.</summary>
    /// <param name="status">The dataset.</param>
    public static IRenderable Status(DatasetStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        DatasetTotals totals = DatasetTotals.Of(status);
        TrainingStatus training = status.Training;
        DatasetSettings settings = status.Settings;
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        Line("samples", $"{(settings.FrontEnd is DatasetSettings.Waveform ? "waveforms" : $"{settings.Height}x{settings.Width}x{settings.Channels}")}, {(settings.Clusters == 0 ? "as many clusters as there are" : $"at most {settings.Clusters} clusters")}, {settings.Shards} shards");
        Line("items", $"{Count(totals.Items)} in {Bytes(totals.LogBytes)}");
        Line("assigned", Count(totals.Assigned));
        Line("outliers", Count(totals.Outliers));
        Line("stale", Stale(status));
        Line("pending", Count(totals.Pending));
        Line("quarantined", Count(totals.Quarantined) + Reasons(status.Shards.Select(shard => shard.QuarantineReasons)));
        Line("version", training.Version is { } version ? $"{version.Version}, published {version.PublishedAt:yyyy-MM-dd HH:mm:ss} UTC" : "none published yet");
        Line("training", $"{training.Activity}, round {Count(training.Round)}, lag {Count(totals.TrainingLag)}");
        if (training.Progress is { } progress)
        {
            Line("progress", $"{Count(progress.Samples)} samples in {Count(progress.Steps)} steps, {progress.SamplesPerSecond:N0}/s");
            Line("replay", $"{Count(progress.ReplayCount)} samples; segments of the stream: {Count(progress.Segments)}");
            Line("loss", Losses(progress));
        }

        if (training.Skipped.Length > 0)
        {
            Line("skipped", $"{Count(training.Skipped.Sum(range => range.Items))} items that training could not follow: it took a sample");
        }

        if (training.Problem is { } problem)
        {
            Line("problem", problem);
        }

        foreach (ShardStatus shard in status.Shards.Where(shard => shard.Problem is not null))
        {
            Line($"shard {shard.Shard}", shard.Problem!);
        }

        return new Panel(grid) { Header = new PanelHeader(Markup.Escape($" {status.Name} ")), Border = BoxBorder.Rounded };

        void Line(string name, string value) => grid.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), new Text(value));
    }

    /// <summary>Several datasets, one a row.</summary>
    /// <param name="datasets">The datasets.</param>
    public static IRenderable Datasets(IReadOnlyList<DatasetStatus> datasets)
    {
        ArgumentNullException.ThrowIfNull(datasets);
        if (datasets.Count == 0)
        {
            return new Text("No datasets yet; make one with 'dataset create'.");
        }

        Table table = NewTable().AddColumn("dataset").AddColumn(Right("items")).AddColumn(Right("assigned")).AddColumn(Right("pending"))
            .AddColumn(Right("lag")).AddColumn(Right("loss")).AddColumn(Right("version")).AddColumn("training");
        foreach (DatasetStatus dataset in datasets)
        {
            DatasetTotals totals = DatasetTotals.Of(dataset);
            table.AddRow(
                Cell(dataset.Name),
                Cell(Count(totals.Items)),
                Cell(Count(totals.Assigned)),
                Cell(Count(totals.Pending)),
                Cell(Count(totals.TrainingLag)),
                Cell(dataset.Training.Progress?.Losses.TryGetValue("total", out double loss) == true ? Loss(loss) : "-"),
                Cell(dataset.Training.Version is { } version ? Number(version.Version) : "-"),
                Cell(dataset.Training.Activity));
        }

        return table;
    }

    /// <summary>What is known of one item.</summary>
    /// <param name="item">The item.</param>
    public static IRenderable Item(ItemAnswer item)
    {
        ArgumentNullException.ThrowIfNull(item);
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        Line("item", item.Id);
        Line("state", State(item.State));
        if (item.Cluster is { } cluster)
        {
            Line("cluster", item.ClusterName is { } name ? $"{Number(cluster)} ({name})" : Number(cluster));
            Line("confidence", Percent(item.Confidence));
        }

        if (item.Distance is { } distance)
        {
            Line("distance", $"{distance.ToString("F3", CultureInfo.InvariantCulture)} from anything learned");
        }

        if (item.ModelVersion > 0)
        {
            Line("version", item.VersionsBehind == 0
                ? $"{Number(item.ModelVersion)}, the published one"
                : $"{Number(item.ModelVersion)}, {item.VersionsBehind} behind for {item.SecondsBehind:N0} s");
        }

        if (item.Reason is { } reason)
        {
            Line("reason", reason);
        }

        if (item.ReceivedAt is { } received)
        {
            Line("stored", $"{received:yyyy-MM-dd HH:mm:ss} UTC, shard {item.Shard}, position {Count(item.Sequence)}");
        }

        return grid;

        void Line(string name, string value) => grid.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), new Text(value));
    }

    /// <summary>The items nearest to one.</summary>
    /// <param name="answer">The neighbours, most similar first.</param>
    public static IRenderable Similar(SimilarAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Items.Length == 0)
        {
            return new Text("Nothing to compare with yet: the item has no embedding by a published version.");
        }

        Table table = NewTable().AddColumn("item").AddColumn(Right("similarity")).AddColumn(Right("cluster"));
        foreach (SimilarItem item in answer.Items)
        {
            table.AddRow(Cell(item.Id), Cell(item.Similarity.ToString("F3", CultureInfo.InvariantCulture)), Cell(item.Cluster is { } cluster ? Number(cluster) : "-"));
        }

        return new Rows(table, new Text($"Version {answer.ModelVersion}; {Percent(answer.Coverage)} of the items compared."));
    }

    /// <summary>Reasons and how often each occurred, most frequent first.</summary>
    /// <param name="reasons">Counts by reason.</param>
    public static IRenderable ReasonCounts(IReadOnlyDictionary<string, long> reasons)
    {
        ArgumentNullException.ThrowIfNull(reasons);
        Table table = NewTable().AddColumn(Right("items")).AddColumn("reason");
        foreach ((string reason, long count) in reasons.OrderByDescending(reason => reason.Value).ThenBy(reason => reason.Key, StringComparer.Ordinal))
        {
            table.AddRow(Cell(Count(count)), new Text(reason));
        }

        return table;
    }

    /// <summary>A count with separators.</summary>
    /// <param name="count">The count.</param>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    internal static Table NewTable() => new() { Border = TableBorder.Rounded };

    internal static TableColumn Right(string header) => new TableColumn(header).RightAligned().NoWrap();

    // Text, not markup: ids and names may hold brackets.
    private static Text Cell(string text) => new(text);

    internal static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    internal static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture).Replace(" ", string.Empty, StringComparison.Ordinal);

    private static string Loss(double loss) => loss.ToString("G4", CultureInfo.InvariantCulture);

    private static string Losses(SeatProgress progress) => string.Join(", ", progress.Losses
        .OrderBy(term => string.Equals(term.Key, "total", StringComparison.Ordinal) ? 0 : 1).ThenBy(term => term.Key, StringComparer.Ordinal)
        .Select(term => $"{term.Key} {Loss(term.Value)}"));

    // Items are by several shards: what is as many versions behind is one entry, for as long as the longest.
    private static string Stale(DatasetStatus status)
    {
        string[] behind = [.. status.Shards.SelectMany(shard => shard.StaleItems).GroupBy(stale => stale.VersionsBehind).OrderBy(stale => stale.Key)
            .Select(stale => $"{Count(stale.Sum(s => s.Items))} {Number(stale.Key)} version{(stale.Key == 1 ? string.Empty : "s")} behind for {stale.Max(s => s.SecondsBehind):N0} s")];
        const int Most = 4;
        return behind.Length == 0 ? "none" : string.Join(", ", behind.Take(Most)) + (behind.Length > Most ? ", ..." : string.Empty);
    }

    private static string Reasons(IEnumerable<Dictionary<string, long>> shards)
    {
        string[] reasons = [.. shards.SelectMany(shard => shard).GroupBy(reason => reason.Key, reason => reason.Value, StringComparer.Ordinal)
            .OrderByDescending(reason => reason.Sum()).Select(reason => $"{reason.Key} {Count(reason.Sum())}")];
        return reasons.Length == 0 ? string.Empty : $" ({string.Join(", ", reasons)})";
    }

    internal static string State(ItemState state) => state switch
    {
        ItemState.Unknown => "unknown: never seen",
        ItemState.Pending => "pending: stored, waiting for a model version",
        ItemState.Assigned => "assigned",
        ItemState.Outlier => "outlier: no cluster fits",
        ItemState.Quarantined => "quarantined: cannot be decoded",
        _ => "deleted",
    };

    private static string Bytes(long bytes) => bytes switch
    {
        < 1024 => $"{bytes} bytes",
        < 1024 * 1024 => $"{bytes / 1024.0:N1} KiB",
        < 1024L * 1024 * 1024 => $"{bytes / (1024.0 * 1024):N1} MiB",
        _ => $"{bytes / (1024.0 * 1024 * 1024):N1} GiB",
    };
}
