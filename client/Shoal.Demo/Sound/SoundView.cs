using System.Globalization;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Demo;

/// <summary>What went into the dataset until now.</summary>
/// <param name="Recordings">Recordings that were read.</param>
/// <param name="Of">Recordings that there are.</param>
/// <param name="Windows">Windows that are stored.</param>
/// <param name="Refused">Recordings that could not be read.</param>
internal readonly record struct Heard(long Recordings, long Of, long Windows, long Refused);

/// <summary>What the demo of sound shows. Pure: nothing is asked here.</summary>
internal static class SoundView
{
    // Two rows of cells in a line of text, the upper one the letter's colour, the lower one the ground's.
    private const char UpperHalf = '▀';

    /// <summary>The dataset while it learns.</summary>
    public static IRenderable Progress(DatasetStatus status, IReadOnlyList<ClusterSummary> clusters, Heard heard, TimeSpan elapsed)
    {
        var trained = status.Training.Cursors.Sum(c => c.Next);
        SeatProgress? progress = status.Training.Progress;
        var loss = progress?.Losses.GetValueOrDefault("total");
        Grid bars = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap());
        bars.AddRow(new Text("recordings"), DemoView.Bar(heard.Recordings, heard.Of), new Text($"{heard.Recordings:N0} of {heard.Of:N0}{(heard.Refused > 0 ? $", {heard.Refused:N0} refused" : string.Empty)}"));
        bars.AddRow(new Text("trained"), DemoView.Bar(trained, heard.Windows), new Text($"{trained:N0} of {heard.Windows:N0} windows, {Silent(status):N0} silent"));
        var line = $"{elapsed.TotalSeconds:F0} s   {status.Training.Activity}   step {progress?.Steps ?? 0:N0}   loss {(loss is null ? "-" : loss.Value.ToString("F3", CultureInfo.InvariantCulture))}   "
            + $"version {status.Training.Version?.Version ?? 0}   stale {status.Shards.Sum(s => s.Stale):N0}";
        return new Rows(bars, new Text(line), Clusters(clusters, named: 2));
    }

    /// <summary>Windows that are quarantined because they are silent.</summary>
    /// <param name="status">The dataset's.</param>
    public static long Silent(DatasetStatus status) => status.Shards.Sum(shard => shard.QuarantineReasons.GetValueOrDefault("silent"));

    /// <summary>Clusters with where their exemplars are heard.</summary>
    /// <param name="clusters">The clusters, largest first.</param>
    /// <param name="named">How many exemplars of each.</param>
    public static IRenderable Clusters(IReadOnlyList<ClusterSummary> clusters, int named)
    {
        if (clusters.Count == 0)
        {
            return ShoalViews.Clusters(clusters);
        }

        Table table = new Table { Border = TableBorder.Rounded }.AddColumn(Right("cluster")).AddColumn(Right("windows")).AddColumn(Right("confidence")).AddColumn("exemplars");

        // A version that was just published has clusters that nothing is assigned to yet.
        foreach (ClusterSummary cluster in clusters.Where(cluster => cluster.Count > 0))
        {
            table.AddRow(
                new Text(cluster.Id.ToString(CultureInfo.InvariantCulture)), new Text(ShoalViews.Count(cluster.Count)), new Text(cluster.MeanConfidence.ToString("P0", CultureInfo.InvariantCulture)),
                new Text(string.Join(", ", cluster.Exemplars.Take(named).Select(exemplar => Place(exemplar.Id)))) { Overflow = Overflow.Ellipsis });
        }

        return table;
    }

    /// <summary>Where a window is heard: the recording's file and from when on.</summary>
    /// <param name="window">The window's id.</param>
    public static string Place(string window)
    {
        var mark = window.LastIndexOf('@');
        return mark > 0 && long.TryParse(window.AsSpan(mark + 1), CultureInfo.InvariantCulture, out var milliseconds)
            ? $"{window[(window.LastIndexOf('/', mark) + 1)..mark]} at {TimeSpan.FromMilliseconds(milliseconds).ToString(@"m\:ss\.ff", CultureInfo.InvariantCulture)}"
            : window;
    }

    /// <summary>Spectrograms side by side for a terminal with colours, each with its cluster's number below it.</summary>
    /// <param name="clusters">Of each cluster its number and a spectrogram: uint8 [side, side].</param>
    /// <param name="side">Width and height in cells, even.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static IRenderable Spectrograms(IReadOnlyList<(long Cluster, byte[] Levels)> clusters, int side, int width)
    {
        List<IRenderable> lines = [];
        foreach ((long Cluster, byte[] Levels)[] row in clusters.Chunk(Math.Max(1, width / (side + 2))))
        {
            for (var y = 0; y < side; y += 2)
            {
                lines.Add(new Markup(string.Join("  ", row.Select(picture => Line(picture.Levels.AsSpan(y * side, 2 * side), side)))));
            }

            lines.Add(new Text(string.Join("  ", row.Select(picture => $"cluster {picture.Cluster}".PadRight(side)))));
        }

        return new Rows(lines);
    }

    private static string Line(ReadOnlySpan<byte> rows, int side)
    {
        var line = new System.Text.StringBuilder();
        for (var x = 0; x < side; x++)
        {
            line.Append(CultureInfo.InvariantCulture, $"[{Colour(rows[x])} on {Colour(rows[side + x])}]{UpperHalf}[/]");
        }

        return line.ToString();
    }

    private static string Colour(byte level)
    {
        (byte red, byte green, byte blue) = Media.Spectrograms.ColourOf(level);
        return $"#{red:x2}{green:x2}{blue:x2}";
    }

    private static TableColumn Right(string header) => new TableColumn(header).RightAligned().NoWrap();
}
