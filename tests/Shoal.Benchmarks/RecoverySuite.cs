using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>
/// Kills a silo again and again while producers write, delete and train, and counts what is lost: everything acknowledged is remembered
/// here, outside the killed process. Most kills are at a named write of the store, the others at a random moment.
/// </summary>
internal static class RecoverySuite
{
    /// <summary>Runs it.</summary>
    /// <param name="kills">How many kills.</param>
    /// <param name="azurite">Whether the store is Azurite; else files.</param>
    /// <param name="seed">Of moments and counts.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int kills, bool azurite, int seed, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        await using AzuriteProcess emulator = new();
        string[] arguments = ["--log", "Critical", "--erase-seconds", "2", .. azurite ? new[] { "--blobs", await emulator.ConnectionStringAsync(), "--container", "recovery" } : []];
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["store"] = azurite ? "azurite" : "files", ["kills"] = kills };
        var folder = Directory.CreateTempSubdirectory("shoal-recovery-");
        try
        {
            var run = new RecoveryRun("Shoal.Silo", folder.FullName, arguments, seed) { AppendsWhole = azurite };
            await run.RunAsync(kills);
            figures.Write("recovery.kills", run.Ended.Values.Sum(), "kills", seed, settings);
            foreach (var (point, count) in run.Ended.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                figures.Write("recovery.kills.point", count, "kills", seed, settings.Append(new("point", point)).ToDictionary(StringComparer.Ordinal));
            }

            figures.Write("recovery.acknowledged", run.Acknowledged, "items", seed, settings);
            figures.Write("recovery.deleted", run.Deleted, "items", seed, settings);
            figures.Write("recovery.lost", run.Lost, "items", seed, settings);
            figures.Write("recovery.doubled", run.Doubled, "items", seed, settings);
            figures.Write("recovery.undeleted", run.Undeleted, "items", seed, settings);
            figures.Write("recovery.regressed", run.Regressed, "times", seed, settings);
            figures.Write("recovery.ingest_p95_s", P95(run.IngestSeconds), "s", seed, settings);
            figures.Write("recovery.training_p95_s", P95(run.TrainingSeconds), "s", seed, settings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double P95(List<double> values) => values.Count == 0 ? double.NaN : values.Order().ElementAt((int)(values.Count * 0.95));
}
