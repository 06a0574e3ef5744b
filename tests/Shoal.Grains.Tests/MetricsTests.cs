using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Telemetry;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

[Collection("silo")]
public sealed partial class MetricsTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Tree.Root, "docs/reference/metrics.md"));

    [Fact]
    public void The_document_names_every_instrument_with_its_kind_and_unit()
    {
        var documented = Row().Matches(Document).Select(row => (row.Groups["name"].Value, row.Groups["kind"].Value, row.Groups["unit"].Value));
        Assert.Equal(Instruments().Select(instrument => (instrument.Name, Kind(instrument), instrument.Unit ?? "")).Order(), documented);
    }

    [Fact]
    public void A_gauge_sums_the_parts_that_are_there()
    {
        using var meter = new Meter("gauge-test");
        var gauge = new DatasetGauge(meter, "lag", "{item}", "");
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter == meter)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => values.Add($"{tags[0].Key} {tags[0].Value}", value));
        listener.Start();
        using IDisposable a = gauge.Add("digits", () => 3);
        using (gauge.Add("digits", () => 4))
        using (gauge.Add("photos", () => 5))
        {
            listener.RecordObservableInstruments();
            Assert.Equal(new Dictionary<string, long>(StringComparer.Ordinal) { ["dataset digits"] = 7, ["dataset photos"] = 5 }, values);
        }

        values.Clear();
        listener.RecordObservableInstruments();
        Assert.Equal(new Dictionary<string, long>(StringComparer.Ordinal) { ["dataset digits"] = 3 }, values);
    }

    [Fact]
    public async Task A_silo_reports_what_its_status_shows_and_on_the_port_for_metrics_nothing_else()
    {
        using var folder = new TempFolder();
        var port = LoopbackPorts.Free(1)[0];
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning", "--metrics-port", port.ToString(CultureInfo.InvariantCulture));
        await using ShoalClient client = await silo.ConnectAsync();
        using var http = new HttpClient();
        var metrics = new Uri($"http://127.0.0.1:{port}/metrics");
        await client.CreateDatasetAsync("counted", Settings with { IdleRehearsalSteps = 0 });
        await client.PauseAsync("counted");
        await foreach (IngestResult result in client.IngestAsync("counted", Blobs(600, 1).ToAsyncEnumerable()))
        {
            Assert.Equal(IngestOutcome.Accepted, result.Outcome);
        }

        var paused = await http.GetStringAsync(metrics);
        Assert.Equal(600, Value(paused, "shoal_assignment_lag"));
        // Nobody trains, and nobody says so.
        Assert.Null(Value(paused, "shoal_training_lag"));

        await client.ResumeAsync("counted");
        await Waiting.UntilAsync(client, silo, "all of it trained and assigned", s =>
            s.Training.Progress?.Samples == 600 && s.Training.Cursors.Sum(c => c.Next) == 600 && s.Shards.Sum(x => x.Pending) == 0, "counted");
        var trained = await http.GetStringAsync(metrics);
        Assert.Equal((0, 0, 600), (Value(trained, "shoal_training_lag"), Value(trained, "shoal_assignment_lag"), Value(trained, "shoal_samples_trained_total")));
        Assert.All(Row().Matches(Document), row => Assert.NotNull(Value(trained, row.Groups["prometheus"].Value)));

        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(silo.Http, "/metrics"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(silo.Http, "/datasets"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(metrics, "/datasets"))).StatusCode);
    }

    private static double? Value(string metrics, string name) =>
        Regex.Match(metrics, $$"""^{{name}}\{[^}]*dataset="counted"[^}]*\} (?<value>[0-9.e+]+)""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)) is { Success: true } line
            ? double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture)
            : null;

    // Of every class of the folder: there is no list of them to forget one in.
    private static List<Instrument> Instruments()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var found = new List<Instrument>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => { if (instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>()) { found.Add(instrument); } } };
        listener.Start();
        foreach (Type type in typeof(DatasetGauge).Assembly.GetTypes().Where(type => type.GetConstructor([typeof(IMeterFactory)]) is not null))
        {
            Activator.CreateInstance(type, services.GetRequiredService<IMeterFactory>());
        }

        Assert.All(found, instrument => Assert.Equal(DatasetGauge.Meter, instrument.Meter.Name));
        return found;
    }

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Replace("Observable", "", StringComparison.Ordinal).Split('`')[0].ToLowerInvariant();

    [GeneratedRegex(@"^\| `(?<name>[a-z.]+)` \| (?<kind>[a-z]+) \| `(?<unit>[^`]*)` \| `(?<prometheus>[a-z_]+)` \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Row();
}
