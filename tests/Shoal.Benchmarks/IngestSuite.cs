using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>
/// Durable ingest of 1 KB images over HTTP, in batches and singly, training paused and not, beside Redis Streams that sync before they answer;
/// and the time from acknowledgement to assignment.
/// </summary>
internal static class IngestSuite
{
    private const int Batch = 256;
    private const int Connections = 8;
    private const int SingleConnections = 64;
    private const int Bytes = 1_024;
    private const int PacedRate = 300;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    /// <summary>Runs it.</summary>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["bytes"] = Bytes, ["batch"] = Batch, ["connections"] = Connections };
        var folder = Directory.CreateTempSubdirectory("shoal-ingest-");
        try
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(folder.FullName, "--log", "Warning");
            await using ShoalClient client = await silo.ConnectAsync();
            await MachineSpeed.WriteRpcAsync(figures, client);
            await client.CreateDatasetAsync("paused", new DatasetSettings { Height = 32, Width = 32, Channels = 1 });
            await client.PauseAsync("paused");
            await MeasureAsync(figures, silo.Http, client, settings);

            await client.CreateDatasetAsync("live", new DatasetSettings { Height = 32, Width = 32, Channels = 1 });
            double[] delays = [.. (await AssignedAsync(silo.Http, client)).Order()];
            Dictionary<string, object?> paced = new(StringComparer.Ordinal) { ["rate"] = PacedRate, ["items"] = delays.Length };
            figures.Write("ingest.assigned_p50_s", delays[delays.Length / 2], "s", null, paced);
            figures.Write("ingest.assigned_p99_s", delays[(int)(delays.Length * 0.99)], "s", null, paced);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(FigureWriter figures, Uri http, ShoalClient client, Dictionary<string, object?> settings)
    {
        Dictionary<string, object?> singly = new(settings, StringComparer.Ordinal) { ["batch"] = 1, ["connections"] = SingleConnections };
        var load = new HttpLoad(http, "paused", Bytes);
        await load.SendAsync(Connections, Batch, WarmUp);
        await load.SendAsync(SingleConnections, 1, WarmUp);
        double batches = await MeasureAsync(figures, "batch", client, () => load.SendAsync(Connections, Batch, Duration), settings);
        double single = await MeasureAsync(figures, "single", client, () => load.SendAsync(SingleConnections, 1, Duration), singly);
        await using (RedisProcess redis = await RedisProcess.StartAsync())
        {
            double redisBatches = await redis.AddAsync(400_000, Bytes, Connections, Batch);
            double redisSingle = await redis.AddAsync(100_000, Bytes, SingleConnections, batch: 1);
            figures.Write("ingest.redis_batch_rate", redisBatches, "items/s", null, settings);
            figures.Write("ingest.redis_single_rate", redisSingle, "items/s", null, singly);
            figures.Write("ingest.ratio_to_redis_batch", batches / redisBatches, "", null, settings);
            figures.Write("ingest.ratio_to_redis_single", single / redisSingle, "", null, singly);
        }

        await client.ResumeAsync("paused");
        while ((await client.StatusAsync("paused")).Training.Activity is not "training")
        {
            await Task.Delay(100);
        }

        await MeasureAsync(figures, "training", client, () => load.SendAsync(Connections, Batch, Duration), settings);
        await client.DeleteDatasetAsync("paused");
    }

    private static async Task<double> MeasureAsync(FigureWriter figures, string name, ShoalClient client, Func<Task<LoadResult>> send, Dictionary<string, object?> settings)
    {
        ShardStatus[] before = (await client.StatusAsync("paused")).Shards;
        var clock = Stopwatch.StartNew();
        LoadResult result = await send();
        TimeSpan time = clock.Elapsed;
        ShardStatus[] after = (await client.StatusAsync("paused")).Shards;
        if (after.Sum(s => s.Items) - before.Sum(s => s.Items) is var stored && stored < result.Items)
        {
            throw new InvalidOperationException($"{result.Items} items were sent and answered, but only {stored} stored.");
        }

        double rate = (after.Sum(s => s.Syncs) - before.Sum(s => s.Syncs)) / time.TotalSeconds;
        figures.Write($"ingest.{name}_rate", result.ItemsPerSecond, "items/s", null, settings);
        figures.Write($"ingest.{name}_p99_ms", result.P99.TotalMilliseconds, "ms", null, settings);
        figures.Write($"ingest.{name}_syncs", rate, "syncs/s", null, settings);
        figures.Write($"ingest.{name}_items_a_sync", result.ItemsPerSecond / rate, "items", null, settings);
        return result.ItemsPerSecond;
    }

    private static async Task<int> PostAsync(HttpClient client, string dataset, ItemUpload[] items)
    {
        using var body = new MemoryStream();
        foreach (ItemUpload item in items)
        {
            await using (var writer = new Utf8JsonWriter(body))
            {
                writer.WriteStartObject();
                writer.WriteString("id", item.Id);
                writer.WriteString("mediaType", item.MediaType);
                writer.WriteBase64String("bytes", item.Bytes);
                writer.WriteEndObject();
            }

            body.WriteByte((byte)'\n');
        }

        using var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using HttpResponseMessage response = await client.PostAsync(new Uri($"/datasets/{dataset}/items", UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return items.Length;
    }

    /// <summary>Sends items at a steady rate while training runs, and asks for each until it is assigned.</summary>
    private static async Task<IReadOnlyCollection<double>> AssignedAsync(Uri http, ShoalClient client)
    {
        using var sender = new HttpClient { BaseAddress = http };
        var first = 0;
        // Enough to publish a first version and to keep training busy.
        for (; first < 20_000; first += Batch)
        {
            await PostAsync(sender, "live", [.. SyntheticItems.Images(Batch, Bytes, first)]);
        }

        FigureWriter.Tell("waiting for the first version");
        while ((await client.StatusAsync("live")) is not { Training.Version: not null } status || status.Shards.Sum(s => s.Pending) > 0)
        {
            await Task.Delay(200);
        }

        var delays = new ConcurrentBag<double>();
        var waiting = new List<Task>();
        const int Group = PacedRate / 10;
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var sent = 0; sent < PacedRate * Duration.TotalSeconds; sent += Group)
        {
            await pace.WaitForNextTickAsync();
            ItemUpload[] items = [.. SyntheticItems.Images(Group, Bytes, first + sent)];
            waiting.Add(Task.Run(async () =>
            {
                var clock = Stopwatch.StartNew();
                await PostAsync(sender, "live", items);
                HashSet<string> left = [.. items.Select(i => i.Id)];
                while (left.Count > 0)
                {
                    foreach (ItemAnswer answer in await client.GetManyAsync("live", [.. left]))
                    {
                        // Noise may be told to fit no cluster.
                        if (answer.State is ItemState.Assigned or ItemState.Outlier && left.Remove(answer.Id))
                        {
                            delays.Add(clock.Elapsed.TotalSeconds);
                        }
                    }

                    await Task.Delay(20);
                }
            }));
        }

        await Task.WhenAll(waiting);
        return delays;
    }
}
