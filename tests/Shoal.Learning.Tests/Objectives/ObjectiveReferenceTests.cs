using System.Globalization;
using System.Reflection;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>The table in docs/reference/objectives.md is what the catalogue says of its objectives.</summary>
public sealed class ObjectiveReferenceTests
{
    private static readonly SampleShape Shape = new(3, 32, 32);

    [Fact]
    public void The_reference_has_the_catalogues_table()
    {
        const string Head = "| name | family | source | reads | learns itself | terms | defaults | all alike |";
        var lines = File.ReadLines(Path.Combine(Root(), "docs/reference/objectives.md"));
        var table = lines.SkipWhile(line => !line.Equals(Head, StringComparison.Ordinal)).TakeWhile(line => line.StartsWith('|'));
        Assert.Equal([Head, "| --- | --- | --- | --- | --- | --- | --- | --- |", .. ObjectiveCatalogue.Names.Select(Row)], table);
    }

    private static string Row(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8, Shape);
        using var wide = ObjectiveCatalogue.Create(name, 256, Shape);
        var declared = ObjectiveCatalogue.Find(name)!;
        var terms = objective.Compute(Making.Batch(1, keyWidth: objective.KeyWidth, bank: 0, shape: Shape)).Terms.Keys.Order(StringComparer.Ordinal);
        string[] cells =
        [
            $"`{name}`", Words(declared.Family), declared.Source, Reads(declared), Learns(wide), string.Join(", ", terms.Select(term => $"`{term}`")),
            Defaults(objective.GetType()), Collapse(declared),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Words(ObjectiveFamily family) => family is ObjectiveFamily.NonContrastive ? "non-contrastive" : $"{family}".ToLowerInvariant();

    private static string Reads(ObjectiveAttribute declared)
    {
        (ObjectiveNeeds Need, string Text)[] words =
        [
            (ObjectiveNeeds.KeyEncoder, "key encoder"),
            (ObjectiveNeeds.Bank, "bank"),
            (ObjectiveNeeds.Neighbours, "neighbours"),
            (ObjectiveNeeds.Labels, "communities"),
            (ObjectiveNeeds.Heads, "cluster heads"),
            (ObjectiveNeeds.Replay, "what is replayed"),
            (ObjectiveNeeds.Crops, "small crops"),
            (ObjectiveNeeds.Samples, $"{(declared.OnlyImages is null ? "samples" : "images")}{(declared.NeedsColour ? " in colour" : "")}{(declared.NeedsSquare ? " as high as wide" : "")}{(declared.LeastSide > 1 ? $" of {declared.LeastSide} pixels a side" : "")}{(declared.NeedsPatches ? ", an encoder of patches" : "")}{(declared.NeedsLatents ? ", an encoder with latents" : "")}"),
        ];
        var needs = string.Join(", ", words.Where(word => declared.Needs.HasFlag(word.Need)).Select(word => word.Text));
        return needs.Length == 0 ? "-" : needs;
    }

    private static string Collapse(ObjectiveAttribute declared)
        => declared.Collapses ? "best, needs another" : declared.LeastAtCollapse ? "best" : "worse";

    // Each network by the widths of its layers; those that follow by momentum are marked.
    private static string Learns(IObjective objective)
    {
        var networks = objective.Own.named_parameters().Where(p => p.parameter.dim() >= 2)
            .GroupBy(p => p.name.Split('.')[0], StringComparer.Ordinal)
            .Select(network =>
            {
                // A weight of the network itself is behind those of its layers.
                var layers = network.OrderByDescending(p => p.name.Count(letter => letter == '.')).Select(p => p.parameter).ToArray();
                var follows = layers[0].requires_grad ? string.Empty : " (follows)";
                return $"{network.Key} {string.Join('-', [layers[0].shape[1], .. layers.Select(layer => layer.shape[0])])}{follows}";
            });
        var text = string.Join(", ", networks.Order(StringComparer.Ordinal));
        return text.Length == 0 ? "-" : text;
    }

    private static string Defaults(Type objective)
    {
        if (objective.GetNestedType("Options") is not { } options)
        {
            return "-";
        }

        var defaults = Activator.CreateInstance(options);
        return string.Join(", ", options.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Where(property => property.CanWrite)
            .Select(property => string.Create(CultureInfo.InvariantCulture, $"{property.Name} {property.GetValue(defaults)}")));
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Shoal.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"No Shoal.slnx above {AppContext.BaseDirectory}.");
        }

        return folder;
    }
}
