using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry.Trace;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Shards;
using Shoal.Learning;
using Shoal.Silo;
using Shoal.Storage;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>What a trace holds of an item, and which traces begin at all.</summary>
public sealed class TraceTests
{
    private static readonly DatasetSettings Settings = new() { Height = 16, Width = 16, Channels = 1 };

    [Fact]
    public async Task An_assignment_ends_the_trace_of_its_append_and_of_no_other()
    {
        using var spans = new Recording();
        using var folder = new TempFolder();
        var store = new FileObjectStore(folder.Sub("store"));
        await using ShardStore items = await ShardStore.OpenAsync(store, "log", folder.Sub("sidecars"), copies: null, TimeProvider.System, CancellationToken.None);
        var pump = new IndexPump(new IndexPumpParts("d", items, new OneCluster(), MediaSettings.Decoder(Settings), 8, TimeProvider.System, NullLogger.Instance));
        using Activity append = new Activity("append").SetIdFormat(ActivityIdFormat.W3C).Start();
        ActivityContext context = append.Context;
        await items.AppendAsync([.. Enumerable.Range(0, 3).Select(Item)], static _ => null);
        // The second is the one whose append somebody records.
        pump.Appends.Keep(1, context);
        append.Stop();

        pump.Use(Version(1));
        await pump.FreshenAsync(0);
        Assert.Empty(spans.Of(context.TraceId));
        await pump.FreshenAsync(1);

        Activity assign = Assert.Single(spans.Of(context.TraceId));
        Assert.Equal((Traces.Assign, context.SpanId), (assign.OperationName, assign.ParentSpanId));
        Assert.Equal((1L, 1), (assign.GetTagItem(Traces.SequenceTag), assign.GetTagItem(Traces.VersionTag)));
        Assert.Null(pump.Appends.Take(1));
    }

    [Fact]
    public void The_document_names_every_span_and_every_tag()
    {
        var document = File.ReadAllText(Path.Combine(Tree.Root, "docs/reference/traces.md"));
        ILookup<bool, string> constants = typeof(Traces).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral && field.Name is not nameof(Traces.SourceName))
            .ToLookup(field => field.Name.EndsWith("Tag", StringComparison.Ordinal), field => (string)field.GetRawConstantValue()!);
        string[][] rows = [.. document.Split('\n').Where(line => line.StartsWith("| `shoal.", StringComparison.Ordinal)).Select(line => line.Split('|'))];
        Assert.Equal(constants[false].Order(StringComparer.Ordinal), rows.Select(row => row[1].Trim(' ', '`')).Order(StringComparer.Ordinal));
        Assert.Equal(constants[true].Order(StringComparer.Ordinal), rows.SelectMany(row => row[3].Split(',')).Select(tag => tag.Trim(' ', '`')).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_is_kept_in_mind_is_taken_once_and_the_oldest_is_forgotten_first()
    {
        var traces = new AppendTraces(most: 2);
        ActivityContext[] appends = [.. Enumerable.Range(0, 3).Select(_ => new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded))];
        for (var i = 0; i < appends.Length; i++)
        {
            traces.Keep(i, appends[i]);
        }

        Assert.Equal([null, appends[1], appends[2]], [traces.Take(0), traces.Take(1), traces.Take(2)]);
        Assert.Null(traces.Take(2));
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.HttpRequestIn", 1, true)]
    [InlineData("Microsoft.AspNetCore.Hosting.HttpRequestIn", 0, false)]
    [InlineData(Traces.Round, 0, true)]
    [InlineData("IShardGrain/AppendAsync", 1, false)]
    [InlineData(Traces.Append, 1, false)]
    public void Traces_begin_with_requests_by_the_ratio_with_every_round_and_with_nothing_else(string name, double ratio, bool recorded)
    {
        var asked = new SamplingParameters(default, ActivityTraceId.CreateRandom(), name, ActivityKind.Server);
        Assert.Equal(recorded ? SamplingDecision.RecordAndSample : SamplingDecision.Drop, new RootSampler(ratio).ShouldSample(asked).Decision);
    }

    [Fact]
    public void Of_many_requests_a_hundredth_is_traced()
    {
        var sampler = new RootSampler(new TelemetrySettings().TraceRatio);
        var random = new Random(1);
        var id = new byte[16];
        var traced = Enumerable.Range(0, 100_000).Count(_ =>
        {
            random.NextBytes(id);
            var asked = new SamplingParameters(default, ActivityTraceId.CreateFromBytes(id), "Microsoft.AspNetCore.Hosting.HttpRequestIn", ActivityKind.Server);
            return sampler.ShouldSample(asked).Decision == SamplingDecision.RecordAndSample;
        });

        // Four deviations of a binomial distribution with a mean of 1,000.
        Assert.InRange(traced, 874, 1_126);
    }

    [Fact]
    public void Settings_out_of_range_are_told_together() => Assert.Equal(
        ["TraceRatio is 2; must be 0 to 1.", "Otlp is 'ftp://here/'; must be an address that begins with http:// or https://."],
        new SiloSettings { Telemetry = new TelemetrySettings { TraceRatio = 2, Otlp = new Uri("ftp://here/") } }.Problems());

    private static ItemUpload Item(int number) => new() { Id = $"{number}", MediaType = MediaTypes.RawImage, Bytes = new byte[16 * 16] };

    private static PublishedVersion Version(int version) => new() { Version = version, EncoderVersion = version, Model = new Claim("model", 1), Clusters = [7] };

    /// <summary>The spans of Shoal's source that end while it is there; other tests' are among them.</summary>
    private sealed class Recording : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _ended = new();
        private readonly ActivityListener _listener;

        public Recording()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name is Traces.SourceName,
                Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = _ended.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IEnumerable<Activity> Of(ActivityTraceId trace) => _ended.Where(span => span.TraceId == trace);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>Embeds everything alike, into the one cluster that there is.</summary>
    private sealed class OneCluster : IEmbeddings
    {
        private static readonly Prototypes One = Prototypes.Read(
        [
            NamedTensor.Of<float>("prototypes", [1, 0], 1, 2), NamedTensor.Of<long>("prototypes.clusters", [0]), NamedTensor.Of<float>("scale", [10]),
            NamedTensor.Of<Half>("landmarks", [(Half)1, (Half)0], 1, 2), NamedTensor.Of<float>("reach", [Prototypes.Everything]),
        ]);

        public async Task<(Half[] Embeddings, Prototypes Prototypes)> EmbedAsync(string dataset, PublishedVersion version, byte[] pixels, int count, ComputePriority priority)
        {
            await Task.Yield();
            return ([.. Enumerable.Range(0, count).SelectMany(_ => new[] { (Half)1, (Half)0 })], One);
        }

        public Task<Prototypes> PrototypesAsync(string dataset, PublishedVersion version) => Task.FromResult(One);
    }
}
