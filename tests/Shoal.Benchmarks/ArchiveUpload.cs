using System.Diagnostics;
using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;
using SkiaSharp;

namespace Shoal.Benchmarks;

/// <summary>How much memory a silo takes while an archive that is larger than it streams in over HTTP.</summary>
internal static class ArchiveUpload
{
    private const string Dataset = "archive";
    private const int Side = 512;
    private const long WarmUpBytes = 256L << 20;
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(50);

    /// <summary>Sends an archive and writes the figures.</summary>
    /// <param name="figures">Where figures go.</param>
    /// <param name="data">The silo's folder.</param>
    /// <param name="bytes">The size of the archive.</param>
    public static async Task RunAsync(FigureWriter figures, string data, long bytes)
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(data, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync(Dataset, new DatasetSettings { Height = 32, Width = 32, Channels = 1, Paused = true });
        byte[] picture = Noise();

        // Buffers are what they will be, and code is compiled.
        await SendAsync(silo.Http, "warm", WarmUpBytes / picture.Length, picture);
        var before = silo.ResidentBytes;
        using var stop = new CancellationTokenSource();
        Task<long> most = MostAsync(silo, before, stop.Token);
        var clock = Stopwatch.StartNew();
        await SendAsync(silo.Http, "item", bytes / picture.Length, picture);
        clock.Stop();
        await stop.CancelAsync();
        var growth = await most - before;
        var sent = (WarmUpBytes / picture.Length) + (bytes / picture.Length);
        var stored = (await client.StatusAsync(Dataset)).Shards.Sum(shard => shard.Items);
        if (stored != sent)
        {
            throw new InvalidOperationException($"{sent} items were sent, and {stored} stored.");
        }

        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["bytes"] = bytes, ["itemBytes"] = picture.Length, ["residentBeforeMb"] = before >> 20 };
        figures.Write("api.tar_rss_growth_mb", growth / (double)(1 << 20), "MB", null, settings);
        figures.Write("api.tar_rate", bytes / clock.Elapsed.TotalSeconds / (1 << 20), "MB/s", null, settings);
    }

    private static async Task<long> MostAsync(SiloProcess silo, long least, CancellationToken token)
    {
        var most = least;
        while (!token.IsCancellationRequested)
        {
            most = Math.Max(most, silo.ResidentBytes);
            await Task.Delay(Sample, CancellationToken.None);
        }

        return most;
    }

    private static async Task SendAsync(Uri silo, string name, long entries, byte[] picture)
    {
        using var http = new HttpClient { BaseAddress = silo, Timeout = Timeout.InfiniteTimeSpan };
        using var content = new TarContent(name, entries, picture);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/datasets/{Dataset}/items", UriKind.Relative)) { Content = content };
        using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream told = await answer.Content.ReadAsStreamAsync();
        if (!answer.IsSuccessStatusCode)
        {
            using var reader = new StreamReader(told);
            throw new InvalidOperationException($"The archive was answered {(int)answer.StatusCode}: {await reader.ReadToEndAsync()}");
        }

        await told.CopyToAsync(Stream.Null);
    }

    // Noise, which no encoding makes smaller.
    private static byte[] Noise()
    {
        var pixels = new byte[Side * Side];
        new Random(1).NextBytes(pixels);
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Gray8, SKAlphaType.Opaque));
        pixels.CopyTo(bitmap.GetPixelSpan());
        using SKData encoded = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return encoded.ToArray();
    }

    // An archive that is written while it is sent.
    private sealed class TarContent : HttpContent
    {
        private readonly string _name;
        private readonly long _entries;
        private readonly byte[] _picture;

        public TarContent(string name, long entries, byte[] picture)
        {
            (_name, _entries, _picture) = (name, entries, picture);
            Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var tar = new TarWriter(stream, leaveOpen: true);
            for (long entry = 0; entry < _entries; entry++)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, $"{_name}/{entry:D6}.png") { DataStream = new MemoryStream(_picture) });
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
