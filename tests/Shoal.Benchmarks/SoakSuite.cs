using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>Ingests, trains, asks and deletes for a long time, and looks whether memory or files grow with it.</summary>
internal static class SoakSuite
{
    private const string Dataset = "soak";
    private const int Rate = 300;
    private const int Live = 20_000;

    // What the index may keep of an item for good; see ./shoal bench activation.
    private const int BytesAnItem = 64;

    // GCHeapCollect: whoever begins a session with it makes the process collect all of its heap.
    private const long Collect = 0x800000;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(20);

    private static readonly DatasetSettings Settings = new() { Height = 12, Width = 12, Channels = 1, Clusters = 4, Shards = 4, ReplaySize = 2_000, IdleRehearsalSteps = 1_000_000 };

    /// <summary>Runs it.</summary>
    /// <param name="minutes">For how long.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int minutes, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["minutes"] = minutes, ["rate"] = Rate, ["live"] = Live };
        var folder = Directory.CreateTempSubdirectory("shoal-soak-");
        try
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(folder.FullName, "--log", "Critical", "--erase-seconds", "30");
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync(Dataset, Settings);
            using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
            Task<long> work = WorkAsync(client, stop.Token);
            var samples = new List<(double Seconds, double Megabytes)>();
            var clock = Stopwatch.StartNew();
            while (!stop.IsCancellationRequested)
            {
                await Task.Delay(Between, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                long items = (await client.StatusAsync(Dataset)).Shards.Sum(s => s.End);
                await CollectAsync(silo.Id);
                samples.Add((clock.Elapsed.TotalSeconds, (silo.ResidentBytes - ((double)items * BytesAnItem)) / 1e6));
                FigureWriter.Tell($"{samples[^1].Seconds,6:F0} s  {samples[^1].Megabytes:F0} MB  {items:N0} items");
            }

            long done = await work;
            DatasetStatus status = await client.StatusAsync(Dataset);
            (double Seconds, double Megabytes)[] later = [.. samples.Where(s => s.Seconds > clock.Elapsed.TotalSeconds / 3)];
            figures.WriteSeries("soak.resident_mb", "MB", 1, settings, [.. samples.Select(s => (s.Megabytes, new Dictionary<string, object?>(StringComparer.Ordinal) { ["seconds"] = s.Seconds }))]);
            figures.Write("soak.slope_mb", Slope(later) * (later[^1].Seconds - later[0].Seconds), "MB", null, settings);
            figures.Write("soak.items", done, "items", null, settings);
            figures.Write("soak.live", status.Shards.Sum(s => s.Items), "items", null, settings);
            figures.Write("soak.log_mb", status.Shards.Sum(s => s.LogBytes) / 1e6, "MB", null, settings);
            figures.Write("soak.store_mb", Bytes(Path.Combine(folder.FullName, "store")) / 1e6, "MB", null, settings);
            figures.Write("soak.sidecar_bytes_per_item", (double)Bytes(Path.Combine(folder.FullName, "sidecars")) / status.Shards.Sum(s => s.End), "bytes", null, settings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Stores at a steady rate, asks for some, and deletes the oldest, so that as many stay.</summary>
    private static async Task<long> WorkAsync(ShoalClient client, CancellationToken token)
    {
        const int Group = Rate / 10;
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var random = new Random(1);
        var next = 0;
        try
        {
            while (await pace.WaitForNextTickAsync(token))
            {
                await foreach (IngestResult _ in client.IngestAsync(Dataset, Enumerable.Range(next, Group).Select(RecoveryRun.Item).ToAsyncEnumerable(), cancellationToken: token))
                {
                    // Whether it is stored is what ./shoal bench recovery looks at.
                }

                next += Group;
                if (next > Live)
                {
                    await client.DeleteAsync(Dataset, [.. Enumerable.Range(next - Live - Group, Group).Select(i => i.ToString(CultureInfo.InvariantCulture))], token);
                }

                await client.GetManyAsync(Dataset, [.. Enumerable.Range(0, Group).Select(_ => random.Next(next).ToString(CultureInfo.InvariantCulture))], token);
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The time is over.
        }

        return next;
    }

    private static async Task CollectAsync(int process)
    {
        using EventPipeSession session = await new DiagnosticsClient(process).StartEventPipeSessionAsync([new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, Collect)], requestRundown: false, 256, CancellationToken.None);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await session.StopAsync(CancellationToken.None);
    }

    // Megabytes a second, by least squares.
    private static double Slope((double Seconds, double Megabytes)[] samples)
    {
        double seconds = samples.Average(s => s.Seconds);
        double megabytes = samples.Average(s => s.Megabytes);
        return samples.Sum(s => (s.Seconds - seconds) * (s.Megabytes - megabytes)) / samples.Sum(s => (s.Seconds - seconds) * (s.Seconds - seconds));
    }

    private static long Bytes(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
