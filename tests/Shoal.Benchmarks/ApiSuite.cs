using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>How many items the HTTP API tells of in a second, with and without keys, training paused; and what an archive that streams in takes of memory.</summary>
internal static class ApiSuite
{
    private const int Items = 20_000;
    private const int Bytes = 1_024;
    private const int Batch = 500;
    private const int Connections = 64;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    /// <summary>Runs it.</summary>
    /// <param name="gigabytes">The archive's size.</param>
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
            await ArchiveUpload.RunAsync(figures, Path.Combine(folder.FullName, "archive"), (long)(gigabytes * (1L << 30)));
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
}
