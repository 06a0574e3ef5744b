using System.Diagnostics;
using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>How many items the HTTP API tells of in a second, with and without keys, training paused; and how much memory a large archive takes while it streams in.</summary>
internal static class ApiSuite
{
    private const int Items = 20_000;
    private const int Bytes = 1_024;
    private const int Batch = 500;
    private const int Connections = 64;
    private const int EntryBytes = 256 * 1_024;
    private const long WarmUpBytes = 128L << 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs it.</summary>
    /// <param name="gigabytes">The size of the archive.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(double gigabytes, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("shoal-api-");
        try
        {
            double open = await GetAsync(figures, Path.Combine(folder.FullName, "open"), "api.get", guarded: false);
            double guarded = await GetAsync(figures, Path.Combine(folder.FullName, "guarded"), "api.guarded_get", guarded: true);
            figures.Write("api.guarded_ratio", guarded / open, "", null, new Dictionary<string, object?>(StringComparer.Ordinal));
            await TarAsync(figures, Path.Combine(folder.FullName, "tar"), (long)(gigabytes * (1L << 30)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<double> GetAsync(FigureWriter figures, string data, string name, bool guarded)
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(data, ["--log", "Warning", .. guarded ? ["--auth"] : Array.Empty<string>()]);
        await using ShoalClient client = await silo.ConnectAsync();
        await MachineSpeed.WriteRpcAsync(figures, client);
        await client.CreateDatasetAsync("noise", new DatasetSettings { Height = 32, Width = 32, Channels = 1 });
        for (int first = 0; first < Items; first += Batch)
        {
            await foreach (IngestResult _ in client.IngestAsync("noise", SyntheticItems.Images(Batch, Bytes, first).ToAsyncEnumerable()))
            {
            }
        }

        FigureWriter.Tell("waiting until every item has a state");
        while (await client.StatusAsync("noise") is { } status && (status.Training.Version is null || status.Shards.Sum(shard => shard.Pending) > 0))
        {
            await Task.Delay(500);
        }

        await client.PauseAsync("noise");
        string[] arguments = ["noise", $"{Items}", .. guarded ? [await KeyAsync(client)] : Array.Empty<string>()];
        await Wrk.RunAsync(silo.Http, "get.lua", Connections, WarmUp, arguments);
        WrkResult run = await Wrk.RunAsync(silo.Http, "get.lua", Connections, Duration, arguments);
        double rate = run.Requests / run.Time.TotalSeconds;
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["items"] = Items, ["connections"] = Connections };
        figures.Write($"{name}_rate", rate, "requests/s", null, settings);
        figures.Write($"{name}_p99_ms", run.P99.TotalMilliseconds, "ms", null, settings);
        return rate;
    }

    private static async Task<string> KeyAsync(ShoalClient client) =>
        (await client.CreateKeyAsync(new NewAccessKey { Name = "bench", Scopes = [AccessScopes.Read], RequestsPerSecond = 100_000 })).Secret;

    private static async Task TarAsync(FigureWriter figures, string data, long bytes)
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(data, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("archive", new DatasetSettings { Height = 256, Width = 256, Channels = 1 });
        await client.PauseAsync("archive");

        // Buffers are what they will be, and code is compiled.
        await SendAsync(silo.Http, "warm", WarmUpBytes);
        long before = silo.ResidentBytes;
        using var stop = new CancellationTokenSource();
        Task<long> most = MostAsync(silo, before, stop.Token);
        var clock = Stopwatch.StartNew();
        await SendAsync(silo.Http, "item", bytes);
        clock.Stop();
        await stop.CancelAsync();
        long items = (await client.StatusAsync("archive")).Shards.Sum(shard => shard.Items);
        if (items != (bytes + WarmUpBytes) / EntryBytes)
        {
            throw new InvalidOperationException($"{(bytes + WarmUpBytes) / EntryBytes} items were sent, but {items} stored.");
        }

        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["bytes"] = bytes, ["itemBytes"] = EntryBytes, ["residentBeforeMb"] = before >> 20 };
        figures.Write("api.tar_rss_growth_mb", (await most - before) / (double)(1 << 20), "MB", null, settings);
        figures.Write("api.tar_rate", bytes / clock.Elapsed.TotalSeconds / (1 << 20), "MB/s", null, settings);
    }

    private static async Task<long> MostAsync(SiloProcess silo, long least, CancellationToken cancellationToken)
    {
        long most = least;
        while (!cancellationToken.IsCancellationRequested)
        {
            most = Math.Max(most, silo.ResidentBytes);
            await Task.Delay(Sample, CancellationToken.None);
        }

        return most;
    }

    private static async Task SendAsync(Uri silo, string name, long bytes)
    {
        using var http = new HttpClient { BaseAddress = silo, Timeout = Timeout.InfiniteTimeSpan };
        using var content = new TarContent(name, bytes / EntryBytes);
        using HttpResponseMessage answer = await http.PostAsync(new Uri("/datasets/archive/items", UriKind.Relative), content);
        string told = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"The archive was answered {(int)answer.StatusCode}: {told}");
        }
    }

    // An archive that is written while it is sent: entries are bare pixels of noise, which no encoding makes smaller.
    private sealed class TarContent : HttpContent
    {
        private readonly string _name;
        private readonly long _entries;

        public TarContent(string name, long entries)
        {
            (_name, _entries) = (name, entries);
            Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var random = new Random(1);
            byte[] pixels = new byte[EntryBytes];
            await using var tar = new TarWriter(stream, leaveOpen: true);
            for (long entry = 0; entry < _entries; entry++)
            {
                random.NextBytes(pixels.AsSpan(0, 64));
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, $"{_name}/{entry:D6}.png") { DataStream = new MemoryStream(pixels) });
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
