using System.Globalization;
using System.Text.RegularExpressions;

namespace Shoal.Architecture.Tests;

/// <summary>An event that the product logs, as its source declares it.</summary>
/// <param name="File">Where, relative to the root.</param>
/// <param name="Id">Its id; null where none is given.</param>
/// <param name="Name">Its name; null where none is given.</param>
/// <param name="Level">How severe it is.</param>
/// <param name="Message">Its message.</param>
internal sealed record LogEvent(string File, int? Id, string? Name, string Level, string Message);

/// <summary>Events with ids of a range, and where they are logged.</summary>
/// <param name="Folder">The folder, relative to the root; a folder in it may have a range of its own.</param>
/// <param name="First">The first id.</param>
/// <param name="Last">The last one.</param>
/// <param name="Title">What it is about.</param>
internal sealed record LogArea(string Folder, int First, int Last, string Title);

/// <summary>The rules of what is logged, and the page that lists it.</summary>
internal static partial class LogEvents
{
    /// <summary>Who has which ids. Ids stay with their events for ever: alerts and searches name them.</summary>
    public static IReadOnlyList<LogArea> Areas { get; } =
    [
        new("src/Shoal.Grains/Compute", 100, 199, "Computing"),
        new("src/Shoal.Grains/Datasets", 200, 299, "Datasets and backups"),
        new("src/Shoal.Grains/Clusters", 300, 399, "Clusters"),
        new("src/Shoal.Grains/Training", 400, 599, "Rounds (400-499) and seats (500-599)"),
        new("client/Shoal.Client", 600, 699, "Clients"),
        new("src/Shoal.Grains/Silos", 700, 799, "Silos and what is open on them"),
        new("src/Shoal.Grains/Shards", 800, 899, "Shards"),
        new("silo/Shoal.Silo", 900, 999, "The silo's process"),
        new("src/Shoal.Web", 1000, 1999, "The HTTP API"),
        new("src/Shoal.Web/Access", 6000, 6499, "Access to the HTTP API"),
        new("src/Shoal.Grains/Access", 6500, 6999, "Keys of the HTTP API"),
        new("src/Shoal.Grains/Webhooks", 7000, 7499, "Webhooks"),
        new("src/Shoal.Web/Webhooks", 7500, 7999, "Messages of webhooks"),
        new("src/Shoal.Pages", 8000, 8499, "Pages"),
    ];

    /// <summary>The events that sources declare, in the order of their ids.</summary>
    public static IReadOnlyList<LogEvent> Read(IEnumerable<TextFile> sources) =>
    [
        .. sources.Where(source => !source.Path.StartsWith("tests/", StringComparison.Ordinal)).SelectMany(source => Attribute().Matches(source.Text).Select(found => Parse(source.Path, found.Groups["arguments"].Value)))
            .OrderBy(e => e.Id).ThenBy(e => e.File, StringComparer.Ordinal),
    ];

    /// <summary>One sentence a violation.</summary>
    public static IEnumerable<string> Violations(IReadOnlyList<LogEvent> events)
    {
        foreach (LogEvent e in events)
        {
            if (e.Id is not { } id || e.Name is null)
            {
                yield return $"{e.File} logs '{e.Message}' without {(e.Id is null ? "EventId" : "EventName")}.";
            }
            else if (AreaOf(e.File) is not { } area)
            {
                yield return $"{e.File} logs, and its folder has no ids; give it some in {nameof(LogEvents)}.{nameof(Areas)}.";
            }
            else if (id < area.First || id > area.Last)
            {
                yield return $"{e.File} logs {id} {e.Name}; ids of {area.Folder} are {area.First} to {area.Last}.";
            }
        }

        foreach (IGrouping<int?, LogEvent> twice in events.Where(e => e.Id is not null).GroupBy(e => e.Id).Where(of => of.Count() > 1))
        {
            yield return $"The id {twice.Key} is used by {string.Join(" and ", twice.Select(e => e.File))}.";
        }

        foreach (IGrouping<string?, LogEvent> twice in events.Where(e => e.Name is not null).GroupBy(e => e.Name, StringComparer.Ordinal).Where(of => of.Count() > 1))
        {
            yield return $"The name {twice.Key} is used by {string.Join(" and ", twice.Select(e => e.File))}.";
        }
    }

    /// <summary>Places where something is logged without an event.</summary>
    public static IEnumerable<string> Loose(IEnumerable<TextFile> sources) =>
        sources.Where(source => !source.Path.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(source => Direct().Matches(source.Text).Select(found => $"{source.Path} calls {found.Groups["method"].Value}; declare a method with [LoggerMessage]."));

    /// <summary>The tables of docs/reference/log-events.md.</summary>
    public static IEnumerable<string> Page(IReadOnlyList<LogEvent> events)
    {
        foreach (LogArea area in Areas.OrderBy(area => area.First))
        {
            LogEvent[] own = [.. events.Where(e => AreaOf(e.File) == area)];
            if (own.Length == 0)
            {
                continue;
            }

            yield return $"## {area.First}-{area.Last}: {area.Title}";
            yield return "| id | name | level | message |";
            yield return "| --- | --- | --- | --- |";
            foreach (LogEvent e in own)
            {
                yield return $"| {e.Id} | `{e.Name}` | {e.Level} | {e.Message} |";
            }
        }
    }

    private static LogArea? AreaOf(string file) => Areas.Where(area => file.StartsWith(area.Folder + "/", StringComparison.Ordinal)).MaxBy(area => area.Folder.Length);

    private static LogEvent Parse(string file, string arguments) => new(
        file,
        Id().Match(arguments) is { Success: true } id ? int.Parse(id.Groups["id"].Value, CultureInfo.InvariantCulture) : null,
        Name().Match(arguments) is { Success: true } name ? name.Groups["name"].Value : null,
        Level().Match(arguments).Groups["level"].Value,
        Message().Match(arguments).Groups["message"].Value);

    // The brackets keep this file from being read as one that logs.
    [GeneratedRegex(@"\[LoggerMessag[e]\((?<arguments>(""(\\.|[^""\\])*""|[^""\)])*)\)\]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Attribute();

    [GeneratedRegex(@"\.(?<method>Log(Trace|Debug|Information|Warning|Error|Critical))\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Direct();

    [GeneratedRegex(@"\bEventId = (?<id>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Id();

    [GeneratedRegex(@"\bEventName = ""(?<name>[A-Za-z]+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Name();

    [GeneratedRegex(@"\bLevel = LogLevel\.(?<level>[A-Za-z]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Level();

    [GeneratedRegex(@"\bMessage = ""(?<message>(\\.|[^""\\])*)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Message();
}
