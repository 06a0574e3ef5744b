using System.Security.Cryptography;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.TestKit;

/// <summary>What training ended with.</summary>
/// <param name="Hashes">The SHA-256 of each part of the checkpoint: parameters, moments, replay buffer, bank, counts.</param>
/// <param name="Steps">Steps taken in all.</param>
/// <param name="Version">The published version.</param>
/// <param name="Kills">The step at which each kill came.</param>
public sealed record Trained(IReadOnlyDictionary<string, string> Hashes, long Steps, int Version, IReadOnlyList<long> Kills);

/// <summary>Trains a silo over a log that does not grow, and kills it on the way: whatever happens, the end must be the same.</summary>
public static class ExactlyOnce
{
    private const string Dataset = "exactly-once";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Makes a log: two ingests of the same items may bring those of a shard into different orders.</summary>
    /// <param name="folder">An empty folder for the silo.</param>
    /// <param name="settings">The dataset's settings, deterministic ones (<see cref="DatasetSettings.RoundSteps"/>).</param>
    /// <param name="items">What the log shall hold.</param>
    public static async Task IngestAsync(string folder, DatasetSettings settings, IReadOnlyList<ItemUpload> items)
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(folder, "--log", "Critical");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync(Dataset, settings with { Paused = true });
        await foreach (IngestResult result in client.IngestAsync(Dataset, items.ToAsyncEnumerable()))
        {
            if (!result.IsStored)
            {
                throw new InvalidOperationException($"{result.Id}: {result.Reason}");
            }
        }
    }

    /// <summary>Trains from the beginning until nothing is left to learn.</summary>
    /// <param name="log">What <see cref="IngestAsync"/> made; it is copied.</param>
    /// <param name="folder">An empty folder for the silo.</param>
    /// <param name="killAt">Steps at which the silo is killed, the first of them first.</param>
    /// <param name="program">The project that the silo is built from.</param>
    public static async Task<Trained> TrainAsync(string log, string folder, IReadOnlyList<long> killAt, string program = "Shoal.Silo")
    {
        ArgumentNullException.ThrowIfNull(killAt);
        foreach (string file in Directory.EnumerateFiles(log, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(log, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var kills = new List<long>();
        while (true)
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(program, folder, endAt: null, ["--log", "Critical"]);
            await using ShoalClient client = await silo.ConnectAsync();
            await client.ResumeAsync(Dataset);
            long? target = kills.Count < killAt.Count ? killAt[kills.Count] : null;
            DatasetStatus status = await UntilAsync(client, silo, target);
            if (target is not null && status.Training.Activity is not "idle")
            {
                await silo.KillAsync();
                kills.Add(status.Training.Progress!.Steps);
                continue;
            }

            await silo.KillAsync();
            return new Trained(Hash(folder), status.Training.Progress!.Steps, status.Training.Version?.Version ?? 0, kills);
        }
    }

    private static async Task<DatasetStatus> UntilAsync(ShoalClient client, SiloProcess silo, long? step)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            DatasetStatus status = await client.StatusAsync(Dataset);
            if (status.Training.Activity is "idle" && status.Training.Progress is not null)
            {
                return status;
            }

            if (step is not null && status.Training.Progress?.Steps >= step)
            {
                return status;
            }

            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"Waiting for {(step is null ? "the end of training" : $"step {step}")}: {status.Training}; the silo said:\n{silo.Output}");
            }

            await Task.Delay(5);
        }
    }

    private static SortedDictionary<string, string> Hash(string folder)
    {
        string store = Path.Combine(folder, "store");
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(store, "datasets", Dataset, "model", "manifest.json")));
        JsonElement state = manifest.RootElement.GetProperty("state");
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty part in state.GetProperty("parts").EnumerateObject())
        {
            Add(part.Name, part.Value);
        }

        Add("bank", state.GetProperty("bank"));
        return hashes;

        void Add(string name, JsonElement claim) =>
            hashes[name] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(store, claim.GetProperty("name").GetString()!))));
    }
}
