using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>One run of a real silo that is watched: its metrics while it is paused and when all is trained, and the spans that it sent.</summary>
public sealed class TelemetryRun : IAsyncLifetime
{
    public const string Dataset = "counted";

    // The caller's: the trace that it records, and one that it does not.
    public const string Trace = "0af7651916cd43dd8448eb211c80319c";
    public const string Unrecorded = "1bf7651916cd43dd8448eb211c80319c";
    public const string Caller = "b7ad6b7169203331";

    public string Paused { get; private set; } = string.Empty;

    public string Trained { get; private set; } = string.Empty;

    public IReadOnlyList<ReceivedSpan> Spans { get; private set; } = [];

    public bool SentMetrics { get; private set; }

    public (HttpStatusCode Api, HttpStatusCode Metrics, HttpStatusCode ApiOnThePortForMetrics) Ports { get; private set; }

    /// <summary>What the silo printed.</summary>
    public string Output { get; private set; } = string.Empty;

    public async ValueTask InitializeAsync()
    {
        using var folder = new TempFolder();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        var port = LoopbackPorts.Free(1)[0];
        await using SiloProcess silo = await SiloProcess.StartAsync(
            folder.Path, "--log-format", "json", "--metrics-port", port.ToString(CultureInfo.InvariantCulture), "--otlp", receiver.Address, "--trace-ratio", "1");
        await using ShoalClient client = await silo.ConnectAsync();
        using var http = new HttpClient { BaseAddress = silo.Http };
        var metrics = new Uri($"http://127.0.0.1:{port}/metrics");
        await client.CreateDatasetAsync(Dataset, Settings with { IdleRehearsalSteps = 0 });
        await client.PauseAsync(Dataset);
        await foreach (IngestResult result in client.IngestAsync(Dataset, Blobs(600, 1).ToAsyncEnumerable()))
        {
            Assert.Equal(IngestOutcome.Accepted, result.Outcome);
        }

        Paused = await http.GetStringAsync(metrics);
        await client.ResumeAsync(Dataset);
        await Waiting.UntilAsync(client, silo, "all of it trained and assigned", s =>
            s.Training.Progress?.Samples == 600 && s.Training.Cursors.Sum(c => c.Next) == 600 && s.Shards.Sum(x => x.Pending) == 0, Dataset);

        ItemUpload[] more = Blobs(2, 2);
        await PutAsync(http, "traced", more[0], $"00-{Trace}-{Caller}-01");
        await PutAsync(http, "untraced", more[1], $"00-{Unrecorded}-{Caller}-00");
        await Waiting.UntilAsync(client, silo, "two more trained and assigned", s =>
            s.Training.Progress?.Samples == 602 && s.Training.Cursors.Sum(c => c.Next) == 602 && s.Shards.Sum(x => x.Assigned + x.Outliers) == 602, Dataset);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"/datasets/{Dataset}/items/traced", UriKind.Relative))).StatusCode);
        Trained = await http.GetStringAsync(metrics);
        Ports = (
            (await http.GetAsync(new Uri("/datasets", UriKind.Relative))).StatusCode,
            (await http.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode,
            (await http.GetAsync(new Uri(metrics, "/datasets"))).StatusCode);

        // What waits to be sent is sent when it stops.
        await silo.StopAsync();
        (Spans, SentMetrics, Output) = (receiver.Spans, receiver.HasMetric("shoal.assignment.lag"), silo.Output);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task PutAsync(HttpClient http, string id, ItemUpload item, string trace)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"/datasets/{Dataset}/items/{id}", UriKind.Relative))
        {
            Content = new ByteArrayContent(item.Bytes),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(item.MediaType);
        request.Headers.Add("traceparent", trace);
        using HttpResponseMessage answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }
}
