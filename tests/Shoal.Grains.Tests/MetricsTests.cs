using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Shoal.Contracts;
using Shoal.Grains.Telemetry;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

public sealed partial class MetricsTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Tree.Root, "docs/reference/metrics.md"));

    [Fact]
    public void The_documents_table_is_that_of_the_instruments_that_there_are() =>
        Assert.Equal(Instruments().OrderBy(instrument => instrument.Name, StringComparer.Ordinal).Select(Row), Documented().Matches(Document).Select(row => $"{row.Groups["before"].Value}TAGS{row.Groups["behind"].Value}"));

    [Fact]
    public void A_loss_has_a_value_for_each_of_its_terms_while_its_seat_works()
    {
        using var meter = new Meter("loss-test");
        var gauge = new LossGauge(meter, "loss", "{loss}", "");
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter == meter)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => values.Add($"{tags[0].Value} {tags[1].Key} {tags[1].Value}", value));
        listener.Start();
        IReadOnlyDictionary<string, double> terms = new Dictionary<string, double>(StringComparer.Ordinal) { ["moco"] = 3 };
        using (gauge.Add("digits", () => terms))
        {
            // The next step.
            terms = new Dictionary<string, double>(StringComparer.Ordinal) { ["moco"] = 2.5, ["scan"] = -0.5 };
            listener.RecordObservableInstruments();
            Assert.Equal(new Dictionary<string, double>(StringComparer.Ordinal) { ["digits term moco"] = 2.5, ["digits term scan"] = -0.5 }, values);
        }

        values.Clear();
        listener.RecordObservableInstruments();
        Assert.Empty(values);
    }

    [Theory]
    [InlineData(IngestOutcome.Accepted, "accepted")]
    [InlineData(IngestOutcome.AlreadyKnown, "already_known")]
    public void A_tags_value_is_written_as_Prometheus_users_write_it(IngestOutcome outcome, string label) => Assert.Equal(label, Label.Of(outcome));

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

    private static string Row(Instrument instrument)
    {
        var kind = instrument.GetType().Name.Replace("Observable", "", StringComparison.Ordinal).Split('`')[0].ToLowerInvariant();
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        var prometheus = $"{instrument.Name.Replace('.', '_')}{unit}{(kind is "counter" ? "_total" : "")}";
        return $"| `{instrument.Name}` | {kind} | `{instrument.Unit}` | `{prometheus}` | TAGS | {char.ToLowerInvariant(instrument.Description![0])}{instrument.Description[1..]} |";
    }

    // What tags a measurement has is known where it is taken: TelemetryTests compares them with those of a run.
    [GeneratedRegex(@"^(?<before>\| `[a-z.]+` \| [a-z]+ \| `[^`]*` \| `[a-z_]+` \| )[^|]*(?<behind> \| .* \|)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Documented();
}
