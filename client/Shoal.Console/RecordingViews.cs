using System.Globalization;
using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>A recording as a timeline.</summary>
public static class RecordingViews
{
    /// <summary>What is heard when: a line for as long as it stays the same.</summary>
    /// <param name="recording">The recording.</param>
    public static IRenderable Timeline(RecordingAnswer recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        Table table = ShoalViews.NewTable()
            .AddColumn(ShoalViews.Right("from")).AddColumn(ShoalViews.Right("to")).AddColumn(ShoalViews.Right("windows")).AddColumn("cluster").AddColumn(ShoalViews.Right("confidence"));
        for (int first = 0, next; first < recording.Windows.Count; first = next)
        {
            next = first + 1;
            string heard = Heard(recording.Windows[first].Item);
            while (next < recording.Windows.Count && string.Equals(Heard(recording.Windows[next].Item), heard, StringComparison.Ordinal))
            {
                next++;
            }

            RecordingWindow[] same = [.. recording.Windows.Skip(first).Take(next - first)];
            // Windows overlap: what follows begins where the next window does.
            double end = next < recording.Windows.Count ? recording.Windows[next].Start : same[^1].End;
            table.AddRow(
                new Text(Time(same[0].Start)), new Text(Time(end)), new Text(ShoalViews.Count(same.Length)), new Text(heard),
                new Text(same[0].Item.Cluster is null ? "-" : ShoalViews.Percent(same.Average(window => window.Item.Confidence))));
        }

        return new Rows(new Text($"{recording.Id}: {ShoalViews.Count(recording.Windows.Count)} windows"), table);
    }

    private static string Heard(ItemAnswer window) => window switch
    {
        { Cluster: { } cluster, ClusterName: { } name } => $"{cluster} ({name})",
        { Cluster: { } cluster } => cluster.ToString(CultureInfo.InvariantCulture),
        { Reason: { } reason } => $"{ShoalViews.State(window.State)}: {reason}",
        _ => ShoalViews.State(window.State),
    };

    private static string Time(double seconds) => TimeSpan.FromSeconds(seconds).ToString(seconds < 3_600 ? @"m\:ss\.f" : @"h\:mm\:ss\.f", CultureInfo.InvariantCulture);
}
