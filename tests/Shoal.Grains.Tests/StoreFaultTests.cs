using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>A store that fails: ingest says so and when to come again, queries are answered, training waits, and all goes on by itself.</summary>
[Collection(SiloCollections.Second)]
public sealed class StoreFaultTests(Azurite azurite)
{
    [Fact]
    public async Task Whatever_a_blob_store_does_ingest_answers_503_queries_answer_and_everything_goes_on_afterwards()
    {
        using var folder = new TempFolder();
        await using var proxy = new FaultProxy(new Uri((await azurite.ConnectionStringAsync()).Split("BlobEndpoint=")[1].TrimEnd(';')).Port);
        var connection = (await azurite.ConnectionStringAsync()).Split("BlobEndpoint=")[0] + $"BlobEndpoint=http://127.0.0.1:{proxy.Port}/{AzuriteProcess.Account};";
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Error", "--blobs", connection, "--container", "faults");
        await using ShoalClient client = await silo.ConnectAsync();
        ItemUpload[] items = Blobs(2_500, 1);
        await client.CreateDatasetAsync("blobs", Settings with { IdleRehearsalSteps = 1_000_000 });
        await StoreAsync(client, items, IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "a version", s => s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0, "blobs");
        using var http = new HttpClient { BaseAddress = silo.Http, Timeout = TimeSpan.FromMinutes(2) };
        var stored = items.Length;
        foreach (Fault fault in new[] { Fault.Unavailable, Fault.Away, Fault.Silent })
        {
            proxy.Fault = fault;
            var clock = Stopwatch.StartNew();
            using HttpResponseMessage refused = await PutAsync(http, $"during/{fault}", items[0].Bytes);
            Assert.True(refused.StatusCode == HttpStatusCode.ServiceUnavailable, $"{fault}: {refused.StatusCode} {await refused.Content.ReadAsStringAsync()}; the silo said:\n{silo.Output}");
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{fault}: refused after {clock.Elapsed}");
            Assert.Equal(ItemState.Assigned, (await client.GetAsync("blobs", items[7].Id)).State);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"/datasets/blobs/items/{items[8].Id}", UriKind.Relative))).StatusCode);
            await Waiting.UntilAsync(client, silo, "training to wait", s => s.Training.Activity is "waiting for storage", "blobs");

            proxy.Fault = Fault.None;
            long round = (await client.StatusAsync("blobs")).Training.Round;
            await UntilTakenAsync(http, $"during/{fault}", items[0].Bytes);
            stored++;
            await Waiting.UntilAsync(client, silo, "training to go on", s => s.Training.Round > round && s.Training.Activity is "rehearsing" or "training", "blobs");
        }

        // Slowness alone refuses nothing.
        proxy.Fault = Fault.Slow;
        using (HttpResponseMessage slow = await PutAsync(http, "slow", items[1].Bytes))
        {
            Assert.Equal(HttpStatusCode.Created, slow.StatusCode);
        }

        proxy.Fault = Fault.None;
        Assert.Equal(stored + 1, (await client.StatusAsync("blobs")).Shards.Sum(s => s.Items));
    }

    [Fact]
    public async Task A_disk_that_fills_up_keeps_room_for_checkpoints_and_goes_on_once_there_is_space()
    {
        using var folder = new TempFolder();
        var disk = Directory.CreateDirectory(folder.Sub("disk")).FullName;
        if (!await RunAsync("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk))
        {
            Assert.Skip("A small disk of its own needs the right to mount one (root): mount -t tmpfs failed.");
        }

        try
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(Path.Combine(disk, "data"), "--log", "Critical", "--disk-headroom", "128");
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("blobs", Settings with { IdleRehearsalSteps = 1_000_000 });
            ItemUpload[] items = Blobs(2_500, 1);
            await StoreAsync(client, items, IngestOutcome.Accepted);
            await Waiting.UntilAsync(client, silo, "a version", s => s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0, "blobs");

            // Somebody else fills the disk, but for what is kept for checkpoints.
            var filler = Path.Combine(disk, "filler");
            await File.WriteAllBytesAsync(filler, new byte[Math.Max(0, new DriveInfo(disk).AvailableFreeSpace - (110L << 20))]);
            using var http = new HttpClient { BaseAddress = silo.Http, Timeout = TimeSpan.FromMinutes(2) };
            using HttpResponseMessage refused = await UntilRefusedAsync(http, items[0].Bytes);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.Contains("128 MiB free", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(ItemState.Assigned, (await client.GetAsync("blobs", items[7].Id)).State);
            long round = (await client.StatusAsync("blobs")).Training.Round;
            await Waiting.UntilAsync(client, silo, "two more checkpoints", s => s.Training.Round > round + 1, "blobs");

            File.Delete(filler);
            await UntilTakenAsync(http, "afterwards", items[0].Bytes);
        }
        finally
        {
            await RunAsync("umount", disk);
        }
    }

    // What was allowed before the disk was full may still be used.
    private static async Task<HttpResponseMessage> UntilRefusedAsync(HttpClient http, byte[] bytes)
    {
        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            random.NextBytes(bytes.AsSpan(0, 16));
            HttpResponseMessage answer = await PutAsync(http, $"fill/{i}", bytes);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                return answer;
            }

            answer.EnsureSuccessStatusCode();
            answer.Dispose();
        }

        throw new InvalidOperationException("Nothing was refused.");
    }

    // As any client does: it comes again when it was told to.
    private static async Task UntilTakenAsync(HttpClient http, string id, byte[] bytes)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            using HttpResponseMessage answer = await PutAsync(http, id, bytes);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            await Task.Delay(answer.Headers.RetryAfter!.Delta!.Value);
        }

        throw new TimeoutException($"'{id}' is refused although the store is back.");
    }

    private static async Task<HttpResponseMessage> PutAsync(HttpClient http, string id, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypes.RawImage);
        return await http.PutAsync(new Uri($"/datasets/blobs/items/{id}", UriKind.Relative), content);
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false });
        await process!.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
