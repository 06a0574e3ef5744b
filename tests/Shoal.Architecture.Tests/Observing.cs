using System.Text.RegularExpressions;

namespace Shoal.Architecture.Tests;

/// <summary>The metrics that docs/reference/metrics.md lists, which other tests compare with a silo that runs, and what may be asked of them.</summary>
internal sealed partial class Observing
{
    // Of how Prometheus finds a silo, and of histograms.
    private static readonly string[] Everywhere = ["instance", "job"];

    private readonly Dictionary<string, string[]> _labels = new(StringComparer.Ordinal) { ["up"] = [] };

    /// <summary>Reads the page.</summary>
    public Observing(string page)
    {
        foreach (Match row in Own().Matches(page))
        {
            Add(row, row.Groups["kind"].Value is "histogram");
        }

        foreach (Match row in Others().Matches(page))
        {
            Add(row, row.Groups["what"].Value.EndsWith("a histogram", StringComparison.Ordinal));
        }
    }

    /// <summary>How many series the page lists.</summary>
    public int Count => _labels.Count;

    /// <summary>What an expression names that there is not, one sentence each.</summary>
    public IEnumerable<string> Unknown(string expression)
    {
        var series = PromQl.Selectors(expression);
        foreach ((var metric, var labels) in series)
        {
            if (!_labels.TryGetValue(metric, out var known))
            {
                yield return $"no silo reports {metric}";
                continue;
            }

            foreach (var label in labels.Except(known, StringComparer.Ordinal).Except(Everywhere, StringComparer.Ordinal))
            {
                yield return $"{metric} has no label {label}";
            }
        }

        foreach (var label in PromQl.Groupings(expression).Except(Everywhere, StringComparer.Ordinal))
        {
            if (!series.All(s => _labels.GetValueOrDefault(s.Metric, []).Contains(label, StringComparer.Ordinal)))
            {
                yield return $"grouped by {label}, which not all of its series have";
            }
        }

        if (series.Count == 0)
        {
            yield return "no series is named";
        }
    }

    private void Add(Match row, bool isHistogram)
    {
        string[] labels = [.. Tag().Matches(row.Groups["tags"].Value).Select(tag => tag.Groups["tag"].Value)];
        var name = row.Groups["prometheus"].Value;
        if (isHistogram)
        {
            (_labels[$"{name}_bucket"], _labels[$"{name}_sum"], _labels[$"{name}_count"]) = ([.. labels, "le"], labels, labels);
        }
        else
        {
            _labels[name] = labels;
        }
    }

    [GeneratedRegex(@"^\| `[a-z.]+` \| (?<kind>[a-z]+) \| `[^`]*` \| `(?<prometheus>[a-z_]+)` \| (?<tags>[^|]*) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Own();

    [GeneratedRegex(@"^\| `(?<prometheus>(http|dotnet|orleans)_[a-z_0-9]+)` \| (?<tags>[^|]*) \| (?<what>.*) \|$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Others();

    [GeneratedRegex("`(?<tag>[a-z_]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Tag();
}
