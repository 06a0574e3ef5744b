using System.Globalization;
using ScottPlot;
using ScottPlot.Colormaps;
using ScottPlot.MultiplotLayouts;
using ScottPlot.Palettes;
using ScottPlot.TickGenerators;
using Shoal.Client;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>Draws what a quality run measured: the curve over the stream, a map of embeddings, and labels against clusters.</summary>
internal sealed class QualityPictures
{
    /// <summary>Where pictures go when nobody says otherwise, relative to the working directory.</summary>
    public const string DefaultFolder = "docs/results/pictures";

    private const int MapItems = 3_000;
    private const int MapSeed = 1;

    // Above this a count no longer fits into its cell.
    private const int MostCountedCells = 30;

    private const float TitleSize = 15;

    // A share of 1, or the last item, is not drawn onto the frame; above it is room for what the stream brings.
    private const double Border = 1.02;
    private const double Top = 1.12;
    private static readonly Color Grey = Color.FromHex("#808080");

    private readonly string _folder;
    private readonly LabelledData _data;
    private readonly string _stream;
    private readonly IPalette _palette;

    private QualityPictures(string folder, LabelledData data, string stream)
    {
        (_folder, _data, _stream) = (folder, data, stream);
        _palette = data.Classes.Length <= 10 ? new Category10() : new Category20();
    }

    /// <summary>Makes sure that pictures can be drawn before anything is measured: there is a folder, and there is a font.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="data">What is measured.</param>
    /// <param name="stream">The stream's name.</param>
    public static async Task<QualityPictures> OpenAsync(string folder, LabelledData data, string stream)
    {
        Directory.CreateDirectory(folder);

        // A bare machine has no font, and text would be left out without a word. This one also makes pictures alike everywhere.
        var regular = await NpmPackages.FetchAsync("dejavu-fonts-ttf@2.37.3", "fonts", Path.Combine("ttf", "DejaVuSans.ttf"), FigureWriter.Tell);
        Fonts.AddFontFile("Shoal", regular);
        Fonts.AddFontFile("Shoal", Path.Combine(Path.GetDirectoryName(regular)!, "DejaVuSans-Bold.ttf"), bold: true);
        Fonts.Default = "Shoal";
        return new QualityPictures(folder, data, stream);
    }

    /// <summary>Draws everything there is.</summary>
    /// <param name="run">The run.</param>
    public void Draw(QualityRun run)
    {
        DrawCurve(run);
        DrawState(run, run.End, string.Empty, StreamOrder.IsShuffled(_stream) ? "at the end" : "end of stream");
        if (run.AfterRehearsal is { } after)
        {
            DrawState(run, after, "-after-rehearsal", "after rehearsal");
        }
    }

    private void DrawState(QualityRun run, Classified state, string suffix, string when)
    {
        int[] matched = ClusterScores.Match(state.Clusters, state.Labels);
        DrawMap(run, state, matched, suffix, when);
        DrawConfusion(run, state, matched, suffix, when);
    }

    private void DrawCurve(QualityRun run)
    {
        IReadOnlyList<ProbePoint> curve = run.Probe.Curve;
        double[] xs = [.. curve.Select(Place)];
        var most = Math.Max(run.Items, xs.DefaultIfEmpty().Max());
        var (scores, counts) = (new Plot(), new Plot());
        Line(scores, xs, curve.Select(p => p.Purity), "purity: a cluster is called after its most frequent class", _palette.GetColor(0));
        Line(scores, xs, curve.Select(p => p.Strict), "strict accuracy: one cluster a class", _palette.GetColor(1));
        Line(counts, xs, curve.Select(p => (double)p.Clusters), "clusters shown", _palette.GetColor(2));
        Line(counts, xs, curve.Select(p => (double)p.Seen), "classes that have appeared", Grey).MarkerShape = MarkerShape.None;
        scores.Title($"{Heading(run)}: test items of the classes that have appeared", TitleSize);
        scores.YLabel("share that is right");
        scores.Axes.SetLimits(0, most * Border, 0, Top);
        counts.YLabel("number");
        counts.XLabel("items of the stream trained on" + (most > run.Items ? "; a step of rehearsal is drawn as wide as one of training" : string.Empty));
        counts.Axes.SetLimits(0, most * Border, 0, curve.Select(p => Math.Max(p.Clusters, p.Seen)).DefaultIfEmpty(1).Max() * 1.15);
        counts.Axes.Left.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };

        var figure = new Multiplot(scores);
        figure.AddPlot(counts);
        var layout = new CustomGrid();
        foreach (var (row, plot) in new[] { scores, counts }.Index())
        {
            MarkStream(plot, run, most, named: row == 0);
            plot.Axes.Bottom.TickGenerator = new NumericAutomatic { LabelFormatter = x => x.ToString("N0", CultureInfo.InvariantCulture) };
            (plot.Axes.Left.MinimumSize, plot.Axes.Left.MaximumSize) = (70, 70);
            plot.ShowLegend(Alignment.LowerRight);
            layout.Set(plot, new GridCell(row * 2, 0, 3, 1, 2 - row, 1));
        }

        figure.Layout = layout;
        Save("curve", path => figure.SavePng(path, 1_000, 720));

        static ScottPlot.Plottables.Scatter Line(Plot plot, double[] xs, IEnumerable<double> ys, string name, Color color)
        {
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(xs, ys.ToArray(), color);
            (line.LegendText, line.LineWidth, line.MarkerSize) = (name, 2, 7);
            return line;
        }
    }

    // Rehearsal has no items of its own: a step is drawn as wide as one of training.
    private static double Place(ProbePoint point) =>
        point.Samples + (point.IdleSteps > 0 ? point.IdleSteps * (double)point.Samples / Math.Max(1, point.Steps - point.IdleSteps) : 0);

    private void MarkStream(Plot plot, QualityRun run, double most, bool named)
    {
        if (most > run.Items)
        {
            plot.Add.HorizontalSpan(run.Items, most * Border, Grey.WithAlpha(0.12));
            Say(run.Items, "rehearsal");
        }

        if (StreamOrder.ClassesInPhase(_stream) is { } size)
        {
            foreach (int[] phase in Enumerable.Range(0, _data.Classes.Length).Chunk(size))
            {
                var start = phase.Min(c => run.Probe.Firsts[c]);
                plot.Add.VerticalLine(start, 1, Grey, LinePattern.Dashed);
                Say(start, string.Join(", ", phase.Select(c => _data.Classes[c])));
            }
        }

        void Say(double x, string text)
        {
            if (named)
            {
                ScottPlot.Plottables.Text label = plot.Add.Text(text, x, Top);
                (label.LabelFontSize, label.LabelFontColor, label.OffsetX, label.OffsetY, label.Alignment) = (13, Grey, 4, 4, Alignment.UpperLeft);
            }
        }
    }

    private void DrawMap(QualityRun run, Classified state, int[] matched, string suffix, string when)
    {
        int[] rows = [.. Enumerable.Range(0, state.Labels.Length)];
        new Random(MapSeed).Shuffle(rows);
        rows = rows[..Math.Min(rows.Length, MapItems)];
        (double X, double Y)[] places = NeighbourMap.Project([.. rows.SelectMany(row => state.Embeddings.AsSpan(row * state.Width, state.Width).ToArray())], state.Width);
        var (byCluster, byLabel) = (new Plot(), new Plot());
        Points(byCluster, Order(state.Clusters, matched).Select(cluster => (
            ClusterName(cluster, matched), ColorOf(cluster, matched), (Func<int, bool>)(row => state.Clusters[row] == cluster))));
        Points(byLabel, _data.Classes.Select((name, label) => (name, _palette.GetColor(label), (Func<int, bool>)(row => state.Labels[row] == label))));
        byCluster.Title($"by cluster (its label): {Heading(run)}, {when}", TitleSize);
        byLabel.Title("by label, which the model never saw", TitleSize);
        var figure = new Multiplot(byCluster) { Layout = new Columns() };
        figure.AddPlot(byLabel);
        Save("map" + suffix, path => figure.SavePng(path, 1_500, 720));

        void Points(Plot plot, IEnumerable<(string Name, Color Color, Func<int, bool> Has)> groups)
        {
            foreach (var (name, color, has) in groups)
            {
                Coordinates[] points = [.. rows.Zip(places).Where(item => has(item.First)).Select(item => new Coordinates(item.Second.X, item.Second.Y))];
                if (points.Length > 0)
                {
                    plot.Add.Markers(points, MarkerShape.FilledCircle, 4, color.WithAlpha(0.7));
                    plot.Legend.ManualItems.Add(new LegendItem { LabelText = name, MarkerShape = MarkerShape.FilledCircle, MarkerSize = 9, MarkerColor = color });
                }
            }

            plot.Axes.SquareUnits();
            plot.HideGrid();
            plot.XLabel($"t-SNE 1, no unit; {rows.Length:N0} test items");
            plot.YLabel("t-SNE 2, no unit");
            (plot.Axes.Bottom.TickGenerator, plot.Axes.Left.TickGenerator) = (new NumericManual(), new NumericManual());
            plot.ShowLegend(Edge.Right);
        }
    }

    private void DrawConfusion(QualityRun run, Classified state, int[] matched, string suffix, string when)
    {
        var table = ClusterScores.Contingency(state.Clusters, state.Labels);
        int[] clusters = [.. Order(state.Clusters, matched)];
        var kinds = _data.Classes.Length;
        double[] totals = [.. Enumerable.Range(0, kinds).Select(label => state.Labels.Count(l => l == label) is var count && count > 0 ? count : 1.0)];
        var shares = new double[kinds, clusters.Length];
        var plot = new Plot();
        for (var label = 0; label < kinds; label++)
        {
            for (var column = 0; column < clusters.Length; column++)
            {
                var count = table[clusters[column], label];
                shares[label, column] = count / totals[label];
                if (count > 0 && Math.Max(kinds, clusters.Length) <= MostCountedCells)
                {
                    ScottPlot.Plottables.Text text = plot.Add.Text(count.ToString("N0", CultureInfo.InvariantCulture), column, label);
                    (text.LabelFontSize, text.Alignment) = (13, Alignment.MiddleCenter);
                    text.LabelFontColor = shares[label, column] > 0.5 ? Colors.White : Colors.Black;
                }
            }
        }

        ScottPlot.Plottables.Heatmap map = plot.Add.Heatmap(shares);
        map.Colormap = new CustomInterpolated([Colors.White, Color.FromHex("#6BAED6"), Color.FromHex("#08306B")]);
        map.ManualRange = new ScottPlot.Range(0, 1);
        plot.MoveToBack(map);
        ScottPlot.Panels.ColorBar bar = plot.Add.ColorBar(map);
        bar.Label = "share of the label's items";
        bar.Axis.TickGenerator = new NumericAutomatic { TargetTickCount = 5 };
        plot.Axes.SetLimits(-0.5, clusters.Length - 0.5, kinds - 0.5, -0.5);
        plot.Axes.Left.TickGenerator = new NumericManual([.. Enumerable.Range(0, kinds).Select(i => (double)i)], _data.Classes);
        plot.Axes.Bottom.TickGenerator = new NumericManual(
            [.. Enumerable.Range(0, clusters.Length).Select(i => (double)i)], [.. clusters.Select(c => c.ToString(CultureInfo.InvariantCulture))]);
        plot.HideGrid();
        var right = matched.Select((cluster, label) => cluster < 0 ? 0 : table[cluster, label]).Sum();
        plot.Title($"{Heading(run)}, {when}: {right / state.Labels.Length:P1} of {state.Labels.Length:N0} items on the diagonal", TitleSize);
        plot.XLabel("cluster id, in the order of the labels they match best");
        plot.YLabel("label");
        Save("confusion" + suffix, path => plot.SavePng(path, 960, 760));
    }

    // Matched clusters in the order of their labels, then the others.
    private static IEnumerable<int> Order(int[] clusters, int[] matched) =>
        [.. matched.Where(cluster => cluster >= 0 && clusters.Contains(cluster)), .. clusters.Where(cluster => cluster >= 0).Distinct().Except(matched).Order()];

    private string ClusterName(int cluster, int[] matched) =>
        Array.IndexOf(matched, cluster) is var label && label >= 0 ? $"{cluster} ({_data.Classes[label]})" : $"{cluster}";

    // A cluster has its label's colour, so that what is wrong stands out.
    private Color ColorOf(int cluster, int[] matched) =>
        Array.IndexOf(matched, cluster) is var label && label >= 0 ? _palette.GetColor(label) : Colors.Black.WithLightness(0.2f + (0.1f * (cluster % 5)));

    private string Heading(QualityRun run) => $"{_data.Name}, {_stream}, seed {run.Seed}";

    private void Save(string picture, Action<string> save)
    {
        var path = Path.Combine(_folder, $"{_data.Name}-{_stream.Replace(':', '-')}-{picture}.png");
        save(path);
        FigureWriter.Tell($"picture: {path}");
    }
}
