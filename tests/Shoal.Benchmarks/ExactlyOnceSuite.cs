using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>Kills deterministic training again and again, and compares its end, bit by bit, with that of training that was left alone.</summary>
internal static class ExactlyOnceSuite
{
    private const int Samples = 3_000;
    private const int RoundSteps = 9;
    private const int Rehearsed = 400;

    /// <summary>Runs it.</summary>
    /// <param name="data">Where items come from.</param>
    /// <param name="kills">How many kills.</param>
    /// <param name="seed">Of the items' order, of training, and of the steps at which kills come.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string data, int kills, int seed, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        LabelledData labelled = await LabelledData.OpenAsync(data);
        ItemUpload[] items = [.. labelled.Train.Take(Samples).Select(item => item.Upload)];
        DatasetSettings settings = labelled.Settings with { Shards = 4, RoundSteps = RoundSteps, IdleRehearsalSteps = Rehearsed / 6, ReplaySize = 1_000, Seed = seed };
        var folder = Directory.CreateTempSubdirectory("shoal-exactly-once-");
        try
        {
            var log = Path.Combine(folder.FullName, "log");
            await ExactlyOnce.IngestAsync(log, settings, items);
            Trained whole = await ExactlyOnce.TrainAsync(log, Path.Combine(folder.FullName, "whole"), []);
            var random = new Random(seed);
            long[] killAt = [.. Enumerable.Range(0, kills).Select(_ => random.NextInt64(1, whole.Steps)).Order()];
            Trained killed = await ExactlyOnce.TrainAsync(log, Path.Combine(folder.FullName, "killed"), killAt);
            Dictionary<string, object?> said = new(StringComparer.Ordinal) { ["data"] = labelled.Name, ["items"] = items.Length, ["roundSteps"] = RoundSteps };
            figures.Write("exactly-once.kills", killed.Kills.Count, "kills", seed, said);
            figures.Write("exactly-once.mid_round", killed.Kills.Count(step => step % RoundSteps != 0), "kills", seed, said);
            figures.Write("exactly-once.steps", whole.Steps, "steps", seed, said);
            figures.Write("exactly-once.parts", whole.Hashes.Count, "parts", seed, said);
            figures.Write("exactly-once.different", whole.Hashes.Count(part => !string.Equals(killed.Hashes[part.Key], part.Value, StringComparison.Ordinal)), "parts", seed, said);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
