using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>Turns changes into what a terminal of 80 columns shows.</summary>
public static class ChangeViews
{
    /// <summary>What changed.</summary>
    /// <param name="page">Changes of items and events.</param>
    public static IRenderable Page(ChangePage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        IEnumerable<Text> damaged = page.Damaged.Select(shard => new Text($"Shard {shard} cannot be read before it is repaired."));
        if (page.Changes.Count == 0)
        {
            return new Rows([new Text("Nothing has changed."), .. damaged]);
        }

        Table table = ShoalViews.NewTable().AddColumn("time (UTC)").AddColumn("what").AddColumn("before").AddColumn("now").AddColumn(ShoalViews.Right("confidence")).AddColumn(ShoalViews.Right("version"));
        foreach (Change change in page.Changes)
        {
            if (change.Item is { } item)
            {
                Text[] cells = Cells(item);
                table.AddRow(cells[0], new Text(item.Id ?? $"item {item.Sequence} of shard {item.Shard}"), cells[1], cells[2], cells[3], cells[4]);
            }
            else if (change.Event is { } happened)
            {
                table.AddRow(
                    new Text($"{happened.Time:MM-dd HH:mm:ss}"),
                    new Text(happened.Cluster is { } cluster ? $"cluster {ShoalViews.Number(cluster)}" : "event"),
                    new Text("-"),
                    new Text($"{happened.Kind}: {happened.Reason}"),
                    new Text("-"),
                    new Text(Version(happened.ModelVersion)));
            }
        }

        return new Rows([table, .. damaged]);
    }

    /// <summary>What became of an item.</summary>
    /// <param name="history">Its changes.</param>
    public static IRenderable History(ItemHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        if (history.Changes.Length == 0)
        {
            return new Text(history.ReachesBack ? "It waits for its first assignment." : "Its changes are older than those that are kept; query says how it stands.");
        }

        Table table = ShoalViews.NewTable().AddColumn("time (UTC)").AddColumn("before").AddColumn("now").AddColumn(ShoalViews.Right("confidence")).AddColumn(ShoalViews.Right("version"));
        foreach (ItemChange change in history.Changes)
        {
            table.AddRow(Cells(change));
        }

        return history.ReachesBack ? table : new Rows(table, new Text("Older changes are not shown: they are kept no longer, or --limit is too low."));
    }

    // When, before, now, confidence, version.
    private static Text[] Cells(ItemChange change) =>
    [
        new Text($"{change.Time:MM-dd HH:mm:ss}"),
        new Text(change.StateBefore is { } before ? Place(before, change.ClusterBefore, name: null) : "-"),
        new Text(Place(change.State, change.Cluster, change.ClusterName)),
        new Text(change.Cluster is null ? "-" : ShoalViews.Percent(change.Confidence)),
        new Text(Version(change.ModelVersion)),
    ];

    private static string Version(int version) => version > 0 ? ShoalViews.Number(version) : "-";

    private static string Place(ItemState state, long? cluster, string? name) =>
        cluster is { } id ? $"cluster {ShoalViews.Number(id)}{(name is null ? string.Empty : $" ({name})")}" : state.ToString().ToLowerInvariant();
}
