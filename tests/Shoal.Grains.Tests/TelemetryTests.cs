using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>What a real silo says of itself, to who asks and to a collector.</summary>
/// <param name="run">The run that all of these look at.</param>
[Collection(SiloCollections.Second)]
public sealed partial class TelemetryTests(TelemetryRun run) : IClassFixture<TelemetryRun>
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Tree.Root, "docs/reference/metrics.md"));

    [Fact]
    public void A_silo_reports_what_its_status_shows_and_on_the_port_for_metrics_nothing_else()
    {
        Assert.Equal((600, 600), (Value(run.Paused, "shoal_assignment_lag"), Value(run.Paused, "shoal_items")));
        // Nobody trains, and nobody says so.
        Assert.Null(Value(run.Paused, "shoal_training_lag"));
        Assert.Null(Value(run.Paused, "shoal_training_seats"));

        Assert.Equal((0, 0, 602), (Value(run.Trained, "shoal_training_lag"), Value(run.Trained, "shoal_assignment_lag"), Value(run.Trained, "shoal_samples_trained_total")));
        Assert.Equal((602, 602, 1), (Value(run.Trained, "shoal_items"), Value(run.Trained, "shoal_items_ingested_total"), Value(run.Trained, "shoal_training_seats")));
        Assert.True(Value(run.Trained, "shoal_model_version") > 0);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound), run.Ports);
    }

    [Fact]
    public void The_document_gives_every_metric_the_tags_that_it_has()
    {
        Assert.All(Row().Matches(Document), row => Assert.Equal(
            (row.Groups["prometheus"].Value, row.Groups["tags"].Value),
            (row.Groups["prometheus"].Value, string.Join(", ", Tags(row.Groups["prometheus"].Value).Select(tag => $"`{tag}`")))));
        Assert.True(Row().Count(Document) > 10, "the table was not read");
    }

    [Fact]
    public void Metrics_of_others_that_the_document_names_are_there_with_these_tags()
    {
        // Of their tags it names those that are asked for here.
        Assert.All(Other().Matches(Document), row => Assert.Empty(Named(row.Groups["tags"].Value).Except(Tags(row.Groups["prometheus"].Value), StringComparer.Ordinal)));
        Assert.True(Other().Count(Document) > 3, "the table was not read");
    }

    [Fact]
    public void One_trace_goes_from_the_request_through_the_append_to_the_assignment()
    {
        ReceivedSpan[] trace = [.. run.Spans.Where(span => span.Trace is TelemetryRun.Trace)];
        var names = string.Join(", ", run.Spans.GroupBy(span => span.Name, StringComparer.Ordinal).Select(of => $"{of.Count()} {of.Key}"));
        Assert.True(Array.Exists(trace, span => span.Name is Traces.Assign), $"no assignment is in the trace of {string.Join(", ", trace.Select(span => span.Name))}; sent were {names}");

        // From the assignment up to the caller, by the parents that spans name.
        var byId = trace.ToDictionary(span => span.Id, StringComparer.Ordinal);
        var passed = new List<string>();
        for (ReceivedSpan? at = trace.Single(span => span.Name is Traces.Assign); at is not null; at = byId.GetValueOrDefault(at.Parent))
        {
            passed.Add(at.Name);
        }

        Assert.Equal([Traces.Assign, Traces.Append], passed[..2]);
        Assert.Equal([Traces.Ingest, "PUT /datasets/{dataset}/items/{**id}"], passed[^2..]);
        Assert.Contains("IShardGrain", string.Concat(passed[2..^2]), StringComparison.Ordinal);
        Assert.Equal(TelemetryRun.Caller, trace.Single(span => string.Equals(span.Name, passed[^1], StringComparison.Ordinal)).Parent);
    }

    [Fact]
    public void What_a_caller_does_not_record_leaves_no_spans_and_neither_does_a_client_that_traces_nothing()
    {
        Assert.DoesNotContain(run.Spans, span => span.Trace is TelemetryRun.Unrecorded);
        // 600 items came from such a client.
        Assert.Single(run.Spans, span => span.Name is Traces.Append);
        Assert.Single(run.Spans, span => span.Name is Traces.Assign);
    }

    [Fact]
    public void A_round_is_a_trace_of_its_own_and_a_question_is_one_from_the_request_to_the_shard()
    {
        ILookup<string, string> traces = run.Spans.ToLookup(span => span.Trace, span => span.Name, StringComparer.Ordinal);
        string[] round = [.. traces.First(trace => trace.Contains(Traces.Publish, StringComparer.Ordinal))];
        Assert.Superset(new HashSet<string>([Traces.Round, Traces.Checkpoint, Traces.Commit, Traces.Publish], StringComparer.Ordinal), round.ToHashSet(StringComparer.Ordinal));
        Assert.DoesNotContain(round, name => name.StartsWith("PUT ", StringComparison.Ordinal));
        Assert.Contains(traces, trace => trace.Contains("GET /datasets/{dataset}/items/{**id}", StringComparer.Ordinal) && trace.Contains(Traces.Query, StringComparer.Ordinal));
        // No machine that asks again and again fills the collector.
        Assert.DoesNotContain(run.Spans, span => span.Name.Contains("/metrics", StringComparison.Ordinal));
    }

    [Fact]
    public void A_collector_gets_metrics_too() => Assert.True(run.SentMetrics);

    [Fact]
    public void Logs_are_objects_with_the_ids_of_their_events_when_that_is_asked_for()
    {
        JsonElement[] entries = [.. run.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonElement.Parse(line))];
        Assert.Contains(entries, entry => entry.GetProperty("EventId").GetInt32() == 401 && entry.GetProperty("State").GetProperty("Dataset").ValueEquals(TelemetryRun.Dataset));
    }

    // Of the first series that there is.
    private string[] Tags(string metric)
    {
        Match series = Regex.Match(run.Trained, $$"""^{{metric}}(_count)?\{(?<labels>.*)\} """, RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        Assert.True(series.Success, $"the silo reports no {metric}");
        return [.. Label().Matches(series.Groups["labels"].Value).Select(label => label.Groups["name"].Value).Where(name => !name.StartsWith("otel_", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    private static string[] Named(string tags) => [.. tags.Split(", ").Where(tag => tag is not "-").Select(tag => tag.Trim('`'))];

    // The sum over all series of the dataset; null when there is none.
    private static double? Value(string metrics, string name)
    {
        MatchCollection lines = Regex.Matches(
            metrics, $$"""^{{name}}\{[^}]*dataset="{{TelemetryRun.Dataset}}"[^}]*\} (?<value>[0-9.e+]+)""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        return lines.Count == 0 ? null : lines.Sum(line => double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^\| `[a-z.]+` \| [a-z]+ \| `[^`]*` \| `(?<prometheus>[a-z_]+)` \| (?<tags>[^|]*) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| `(?<prometheus>(http|dotnet|orleans)_[a-z_0-9]+)` \| (?<tags>[^|]*) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Other();

    [GeneratedRegex(@"(?<name>[a-z_]+)=""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Label();
}
