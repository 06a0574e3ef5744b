using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shoal.Benchmarks;

/// <summary>One measured figure.</summary>
/// <param name="Name">What it is called everywhere, for example <c>quality.strict</c>.</param>
/// <param name="Value">Its value; NaN is written as a string.</param>
/// <param name="Unit">The unit of the value.</param>
/// <param name="Seed">The seed of the run; null for a figure over all seeds.</param>
/// <param name="Settings">What the run was made with.</param>
internal sealed record Figure(string Name, double Value, string Unit, int? Seed, IReadOnlyDictionary<string, object?> Settings);

/// <summary>Prints figures as they are measured: a line of JSON each, or text.</summary>
/// <param name="json">Whether to print JSON.</param>
internal sealed class FigureWriter(bool json)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly List<Figure> _figures = [];

    /// <summary>Whether it prints JSON.</summary>
    public bool Json => json;

    /// <summary>All figures so far.</summary>
    public IReadOnlyList<Figure> All => _figures;

    /// <summary>Prints a figure.</summary>
    public void Write(string name, double value, string unit, int? seed, IReadOnlyDictionary<string, object?> settings)
    {
        var figure = new Figure(name, value, unit, seed, settings);
        _figures.Add(figure);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(figure, Options));
        }
        else
        {
            var at = seed is null ? string.Empty : $"   (seed {seed})";
            Console.Out.WriteLine($"{name,-32} {Readable(value),12} {unit}{at}");
        }
    }

    /// <summary>Prints figures of one name that belong together, as the points of a curve do: as JSON a line each, as text one line in all.</summary>
    /// <param name="name">The figures' name.</param>
    /// <param name="unit">Their unit.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="settings">What the run was made with.</param>
    /// <param name="points">Each figure's value, and the settings that tell it from the others.</param>
    /// <param name="asText">Whether text has its line too; what would be too long for one is for JSON alone.</param>
    public void WriteSeries(
        string name, string unit, int seed, IReadOnlyDictionary<string, object?> settings, IReadOnlyList<(double Value, Dictionary<string, object?> At)> points, bool asText = true)
    {
        foreach (var (value, at) in points)
        {
            var figure = new Figure(name, value, unit, seed, settings.Concat(at).ToDictionary(StringComparer.Ordinal));
            _figures.Add(figure);
            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(figure, Options));
            }
        }

        double[] known = [.. points.Select(point => point.Value).Where(double.IsFinite)];
        if (asText && !json && known.Length > 0)
        {
            Console.Out.WriteLine($"{name,-32} {Sparkline(points.Select(p => p.Value), known)}  {Readable(known.Min())} to {Readable(known.Max())} {unit}, last {Readable(known[^1])}   (seed {seed})");
        }
    }

    /// <summary>Prints mean and worst of a figure over its seeds.</summary>
    /// <param name="name">The figure's name.</param>
    /// <param name="higherIsBetter">Which end is the worst.</param>
    /// <param name="settings">What the runs were made with.</param>
    public void Summarize(string name, bool higherIsBetter, IReadOnlyDictionary<string, object?> settings)
    {
        Figure[] seeds = [.. _figures.Where(f => f.Seed is not null && string.Equals(f.Name, name, StringComparison.Ordinal))];
        if (seeds.Length > 1)
        {
            Write(name + ".mean", seeds.Average(f => f.Value), seeds[0].Unit, null, settings);
            Write(name + ".worst", higherIsBetter ? seeds.Min(f => f.Value) : seeds.Max(f => f.Value), seeds[0].Unit, null, settings);
        }
    }

    /// <summary>Tells a person what goes on; never on standard output.</summary>
    /// <param name="text">The text.</param>
    public static void Tell(string text) => Console.Error.WriteLine(text);

    // A bar a value between the least and the largest, blank for what is not known.
    private static string Sparkline(IEnumerable<double> values, double[] known)
    {
        const string Bars = "▁▂▃▄▅▆▇█";
        var (least, span) = (known.Min(), known.Max() - known.Min());
        return string.Concat(values.Select(value => !double.IsFinite(value) ? ' ' : Bars[span > 0 ? (int)Math.Round((value - least) / span * (Bars.Length - 1)) : 0]));
    }

    private static string Readable(double value) => Math.Abs(value) >= 1_000 ? value.ToString("N0") : value.ToString("0.####");
}
