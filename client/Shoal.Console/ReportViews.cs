using System.Globalization;
using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>Reports as tables and bars.</summary>
public static class ReportViews
{
    // Cells of a bar that stands for as far as two different items are apart.
    private const int BarWidth = 24;

    /// <summary>How far embeddings move when samples are changed.</summary>
    /// <param name="report">The report.</param>
    public static IRenderable Invariance(InvarianceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Table table = ShoalViews.NewTable().AddColumn("transformation").AddColumn(ShoalViews.Right("strength")).AddColumn("unit").AddColumn(ShoalViews.Right("distance")).AddColumn("of what items are apart").AddColumn(ShoalViews.Right("in another cluster"));
        foreach (Movement movement in report.Movements)
        {
            double share = report.Apart > 0 ? movement.Distance / report.Apart : 0;
            table.AddRow(
                new Text(movement.Transformation), new Text(Number(movement.Strength, "0.##")), new Text(movement.Unit), new Text(Number(movement.Distance, "F3")),
                new Text($"{Bar(share)} {Number(share, "P0")}"), new Text(Number(movement.Moved, "P0")));
        }

        return new Rows(table, new Text($"Version {report.ModelVersion}, {ShoalViews.Count(report.Items)} items; two of them are {Number(report.Apart, "F3")} apart."));
    }

    /// <summary>How much of the clustering goes with what items carry.</summary>
    /// <param name="report">The report.</param>
    public static IRenderable Bias(BiasReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Fields.Length == 0)
        {
            return new Text($"None of {ShoalViews.Count(report.Items)} items with a cluster carries a field; send metadata with them.");
        }

        Table table = ShoalViews.NewTable().AddColumn("field").AddColumn(ShoalViews.Right("items")).AddColumn(ShoalViews.Right("values")).AddColumn(ShoalViews.Right("NMI with cluster")).AddColumn("").AddColumn(ShoalViews.Right("by chance"));
        foreach (FieldBias field in report.Fields)
        {
            table.AddRow(
                new Text(field.Field), new Text(ShoalViews.Count(field.Items)), new Text(ShoalViews.Count(field.Values)), new Text(Number(field.NormalizedMutualInformation, "F3")),
                new Text(Bar(field.NormalizedMutualInformation)), new Text(Number(field.ByChance, "F3")));
        }

        return table;
    }

    private static string Bar(double share) => new('█', (int)Math.Round(Math.Clamp(share, 0, 1) * BarWidth));

    private static string Number(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture).Replace(" ", string.Empty, StringComparison.Ordinal);
}
