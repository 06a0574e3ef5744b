using System.Text.Json;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Demo;

/// <summary>What the demo shows. Pure: nothing is asked here.</summary>
internal static class DemoView
{
    /// <summary>The dataset while it learns.</summary>
    public static IRenderable Progress(
        DatasetStatus status, IReadOnlyList<ClusterSummary> clusters, long ingested, long total, TimeSpan elapsed, double? accuracy)
    {
        var trained = status.Training.Cursors.Sum(c => c.Next);
        SeatProgress? progress = status.Training.Progress;
        var loss = progress?.Losses.GetValueOrDefault("total");
        Grid bars = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap());
        bars.AddRow(new Text("ingested"), Bar(ingested, total), new Text($"{ingested:N0} of {total:N0}"));
        bars.AddRow(new Text("trained"), Bar(trained, total), new Text($"{trained:N0}, {progress?.SamplesPerSecond ?? 0:N0}/s, {status.Training.Activity}"));
        var line = $"{elapsed.TotalSeconds:F0} s   loss {(loss is null ? "-" : loss.Value.ToString("F3", null))}   version {status.Training.Version?.Version ?? 0}   "
            + $"stale {status.Shards.Sum(s => s.Stale):N0}   accuracy so far {(accuracy is null ? "-" : accuracy.Value.ToString("P1", null))}";
        return new Rows(bars, new Text(line), ShoalViews.Clusters(clusters));
    }

    /// <summary>Some items with what is known of them.</summary>
    public static IRenderable Items(IReadOnlyList<ItemAnswer> answers, IReadOnlyList<string> labels)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("item").AddColumn("state").AddColumn("cluster").AddColumn("confidence").AddColumn("version").AddColumn("(digit)");
        for (var i = 0; i < answers.Count; i++)
        {
            ItemAnswer answer = answers[i];
            table.AddRow(
                Markup.Escape(answer.Id),
                answer.State.ToString().ToLowerInvariant(),
                Markup.Escape(answer.ClusterName ?? answer.Cluster?.ToString(null, null) ?? "-"),
                answer.Confidence.ToString("P0", null),
                answer.ModelVersion.ToString(null, null),
                labels[i]);
        }

        return table;
    }

    /// <summary>Prints figures as JSON, one object a line.</summary>
    public static void WriteJson(params (string Name, double Value, string Unit)[] figures)
    {
        foreach ((var name, var value, var unit) in figures)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { name, value, unit, seed = 1, settings = new { } }));
        }
    }

    /// <summary>How far something is.</summary>
    /// <param name="value">What is done.</param>
    /// <param name="most">What is to be done.</param>
    public static Markup Bar(long value, long most)
    {
        const int width = 30;
        var full = most == 0 ? 0 : (int)Math.Clamp(value * width / most, 0, width);
        return new Markup($"[green]{new string('━', full)}[/][grey]{new string('─', width - full)}[/]");
    }
}
