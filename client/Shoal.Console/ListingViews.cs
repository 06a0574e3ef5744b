using System.Globalization;
using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>Turns listings into what a terminal of 80 columns shows.</summary>
public static class ListingViews
{
    /// <summary>A page of items.</summary>
    /// <param name="page">The page.</param>
    public static IRenderable Items(ItemPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        IEnumerable<Text> damaged = page.Damaged.Select(shard => new Text($"Shard {shard} cannot be read before it is repaired."));
        if (page.Items.Count == 0)
        {
            return new Rows([new Text(page.Cursor is null ? "No item matches." : "None of the items looked at matches; read on."), .. damaged]);
        }

        Table table = ShoalViews.NewTable().AddColumn("item").AddColumn("state").AddColumn("cluster").AddColumn(ShoalViews.Right("confidence")).AddColumn(ShoalViews.Right("version")).AddColumn("stored (UTC)");
        foreach (ItemAnswer item in page.Items)
        {
            table.AddRow(
                new Text(item.Id),
                new Text(item.State.ToString().ToLowerInvariant()),
                Cluster(item.Cluster, item.ClusterName),
                new Text(item.Cluster is null ? "-" : ShoalViews.Percent(item.Confidence)),
                new Text(item.ModelVersion > 0 ? ShoalViews.Number(item.ModelVersion) : "-"),
                new Text($"{item.ReceivedAt:MM-dd HH:mm:ss}"));
        }

        return new Rows([table, .. damaged]);
    }

    /// <summary>What files were classified as.</summary>
    /// <param name="lines">An answer a file.</param>
    public static IRenderable Classified(IReadOnlyCollection<ClassifiedLine> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        if (lines.Count == 0)
        {
            return new Rows(new Text("There is nothing to classify."));
        }

        Table table = ShoalViews.NewTable().AddColumn("item").AddColumn("state").AddColumn("cluster").AddColumn(ShoalViews.Right("confidence")).AddColumn(ShoalViews.Right("distance"));
        foreach (ClassifiedLine line in lines)
        {
            table.AddRow(
                new Text(line.Id),
                new Text(line.Reason ?? (line.State is ItemState.Pending ? "no version is published yet" : line.State.ToString().ToLowerInvariant())),
                Cluster(line.Cluster, line.ClusterName),
                new Text(line.Cluster is null ? "-" : ShoalViews.Percent(line.Confidence)),
                new Text(line.Distance?.ToString("F3", CultureInfo.InvariantCulture) ?? "-"));
        }

        return table;
    }

    /// <summary>One cluster and what happened to it.</summary>
    /// <param name="details">The cluster.</param>
    public static IRenderable Cluster(ClusterDetails details)
    {
        ArgumentNullException.ThrowIfNull(details);
        ClusterSummary cluster = details.Cluster;
        var merged = new Text(cluster.Merged.Length == 0 ? "Nothing was merged into it." : $"Merged into it: {string.Join(", ", cluster.Merged.Select(ShoalViews.Number))}.");
        return new Rows(ShoalViews.Clusters([cluster]), merged, details.History.Count == 0 ? new Text("Nothing of it is in the newest events.") : ShoalViews.Events(details.History));
    }

    /// <summary>A model version.</summary>
    /// <param name="model">The version.</param>
    public static IRenderable Model(ModelDescription model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        Line("version", $"{ShoalViews.Number(model.Version)}, published {model.PublishedAt:yyyy-MM-dd HH:mm:ss} UTC");
        Line("reason", model.Reason);
        Line("clusters", ShoalViews.Count(model.Clusters.Count(cluster => cluster > 0)));
        Line("encoder", $"that of version {ShoalViews.Number(model.EncoderVersion)}");
        Line("file", $"{ShoalViews.Count(model.Bytes)} bytes; write it with -o FILE");
        return grid;

        void Line(string name, string value) => grid.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), new Text(value));
    }

    private static Text Cluster(long? cluster, string? name) => new(cluster is { } id ? $"{ShoalViews.Number(id)}{(name is null ? string.Empty : $" ({name})")}" : "-");
}
