using Plotly.Blazor;
using Plotly.Blazor.LayoutLib;
using Plotly.Blazor.Traces;

namespace Shoal.Pages.Models;

/// <summary>Makes what Plotly draws.</summary>
internal static class Charts
{
    /// <summary>Of text and lines: it is read on white and on black.</summary>
    private const string Ink = "#808080";

    private const string Faint = "rgba(128, 128, 128, 0.25)";
    private const string Clear = "rgba(0, 0, 0, 0)";

    /// <summary>The traces of a map: one a group, drawn by WebGL.</summary>
    /// <param name="map">The map.</param>
    public static IReadOnlyList<ITrace> Map(MapModel map) => [.. map.Groups.Select(Points)];

    /// <summary>The traces of curves.</summary>
    /// <param name="curves">The curves.</param>
    public static IReadOnlyList<ITrace> Lines(IReadOnlyList<Curve> curves) => [.. curves.Select(Line)];

    /// <summary>The layout of a map: no axes, since they stand for nothing. A view that was zoomed stays when points come.</summary>
    /// <param name="name">What the view is remembered by.</param>
    public static Layout MapLayout(string name) => new()
    {
        UiRevision = name,
        HoverMode = HoverModeEnum.Closest,
        DragMode = DragModeEnum.Pan,
        PaperBgColor = Clear,
        PlotBgColor = Clear,
        Font = new Font { Color = Ink },
        Margin = Narrow(),
        Legend = [Above()],
        XAxis = [new XAxis { Visible = false }],
        YAxis =
        [
            new YAxis
            {
                Visible = false,
                ScaleAnchor = "x",
            },
        ],
    };

    /// <summary>The layout of curves.</summary>
    /// <param name="across">What the axis to the right is.</param>
    public static Layout LineLayout(string across) => new()
    {
        UiRevision = across,
        HoverMode = HoverModeEnum.XUnified,
        PaperBgColor = Clear,
        PlotBgColor = Clear,
        Font = new Font { Color = Ink },
        Margin = Narrow(),
        ShowLegend = true,
        Legend = [Above()],
        XAxis =
        [
            new XAxis
            {
                Title = new Plotly.Blazor.LayoutLib.XAxisLib.Title { Text = across },
                GridColor = Faint,
            },
        ],
        YAxis = [new YAxis { GridColor = Faint }],
    };

    private static Margin Narrow() => new()
    {
        L = 48,
        R = 16,
        T = 16,
        B = 48,
    };

    // Beside a chart it would take half of a phone's width.
    private static Legend Above() => new()
    {
        Orientation = Plotly.Blazor.LayoutLib.LegendLib.OrientationEnum.H,
        X = 0,
        Y = 1.02m,
        YAnchor = Plotly.Blazor.LayoutLib.LegendLib.YAnchorEnum.Bottom,
    };

    private static ScatterGl Points(MapGroup group) => new ScatterGl
    {
        Name = group.Name,
        Mode = Plotly.Blazor.Traces.ScatterGlLib.ModeFlag.Markers,
        X = Rounded(group.Places.Select(place => place.X)),
        Y = Rounded(group.Places.Select(place => place.Y)),
        TextArray = [.. group.Ids],
        HoverInfo = Plotly.Blazor.Traces.ScatterGlLib.HoverInfoFlag.Text | Plotly.Blazor.Traces.ScatterGlLib.HoverInfoFlag.Name,
        Marker = new Plotly.Blazor.Traces.ScatterGlLib.Marker
        {
            Color = group.Colour,
            Size = 5,
            Opacity = 0.75m,
        },
    };

    private static Scatter Line(Curve curve) => new Scatter
    {
        Name = curve.Name,

        // One reading makes no line.
        Mode = curve.Readings.Count > 1 ? Plotly.Blazor.Traces.ScatterLib.ModeFlag.Lines : Plotly.Blazor.Traces.ScatterLib.ModeFlag.Markers,
        X = Rounded(curve.Readings.Select(reading => reading.At)),
        Y = Rounded(curve.Readings.Select(reading => reading.Value)),
    };

    // Fewer digits: a map is sent whole.
    private static List<object> Rounded(IEnumerable<double> values) => [.. values.Select(value => (object)Math.Round(value, 4))];
}
