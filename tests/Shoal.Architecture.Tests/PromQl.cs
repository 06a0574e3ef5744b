using System.Text.RegularExpressions;

namespace Shoal.Architecture.Tests;

/// <summary>Reads out of a PromQL expression which series and which of their labels it names.</summary>
/// <remarks>Not a parser: it takes strings, ranges and numbers out, and knows the words of the language; every other word outside of braces and of lists of labels is a metric.</remarks>
internal static partial class PromQl
{
    private static readonly HashSet<string> Words = new(["by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "offset", "bool", "inf", "nan"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The metrics, with the labels of the selector at each.</summary>
    public static IReadOnlyList<(string Metric, string[] Labels)> Selectors(string expression)
    {
        // What is grouped or joined by is no metric.
        var text = Grouping().Replace(Bare(expression), " ");
        var found = new List<(string, string[])>();
        foreach (Match word in Word().Matches(Braces().Replace(text, match => new string(' ', match.Length))))
        {
            // A word before a parenthesis is a function.
            var behind = text[(word.Index + word.Length)..].TrimStart();
            if (!Words.Contains(word.Value) && !behind.StartsWith('('))
            {
                found.Add((word.Value, behind.StartsWith('{') ? [.. Label().Matches(behind[..behind.IndexOf('}', StringComparison.Ordinal)]).Select(label => label.Groups["label"].Value)] : []));
            }
        }

        return found;
    }

    /// <summary>The labels that are grouped or joined by.</summary>
    public static IReadOnlyList<string> Groupings(string expression) =>
        [.. Grouping().Matches(Bare(expression)).SelectMany(list => Word().Matches(list.Groups["labels"].Value)).Select(label => label.Value)];

    private static string Bare(string expression) => Range().Replace(Text().Replace(expression, "\"\""), " ");

    [GeneratedRegex(@"""(\\.|[^""\\])*""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Text();

    [GeneratedRegex(@"\[[^\]]*\]", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Range();

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Braces();

    [GeneratedRegex(@"\b(by|without|on|ignoring|group_left|group_right)\s*\((?<labels>[^)]*)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(?<![\w.$])[a-zA-Z_:][\w:]*", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<label>\w+)\s*(=~|!~|!=|=)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Label();
}
