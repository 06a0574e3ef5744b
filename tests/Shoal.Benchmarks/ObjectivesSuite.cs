using System.Numerics.Tensors;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What each objective alone makes of an encoder in a given time, against the same encoder with its first weights.</summary>
internal static class ObjectivesSuite
{
    private const int Known = 5_000;
    private const int Queries = 2_000;
    private const int Clusters = 10;

    // Norms know what they normalise by then, and weights have not moved.
    private const int FirstSteps = 20;
    private const double NoRate = 1e-9;

    /// <summary>Runs it.</summary>
    /// <param name="path">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="names">The objectives; empty for all.</param>
    /// <param name="seconds">Seconds of training of each.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="seeds">How many seeds.</param>
    /// <param name="figures">Where figures go.</param>
    /// <exception cref="ShoalException">Invalid: no objective has a name.</exception>
    public static async Task RunAsync(string path, IReadOnlyCollection<string> names, int seconds, int firstSeed, int seeds, FigureWriter figures)
    {
        if (names.FirstOrDefault(name => ObjectiveCatalogue.Find(name) is null) is { } unknown)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There is no objective '{unknown}'; there are: {string.Join(", ", ObjectiveCatalogue.Names)}.");
        }

        LabelledData data = await LabelledData.OpenAsync(path);
        await MachineSpeed.WriteAsync(figures);
        var random = new Random(1);
        SourceItem[] train = [.. data.Train];
        SourceItem[] test = [.. data.Test];
        // The same in every run.
        random.Shuffle(train);
        random.Shuffle(test);
        byte[][] samples = BareLearner.Decode(data, train);
        var probe = new Probe(data, [.. train.Take(Known)], samples[..Math.Min(Known, samples.Length)], [.. test.Take(Queries)]);
        NativeTuning.ApplyToProcess();
        for (var seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            Scores first = Measure(data, samples, probe, "moco", NoRate, seed, learner => Enumerable.Range(0, FirstSteps).ToList().ForEach(_ => learner.Step()));
            Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["seconds"] = seconds };
            figures.Write("objectives.first_knn", first.Knn, "fraction", seed, settings);
            figures.Write("objectives.first_linear", first.Linear, "fraction", seed, settings);
            foreach (var name in names.Count > 0 ? names : ObjectiveCatalogue.Names)
            {
                Scores trained = Measure(data, samples, probe, name, new LearnerOptions().LearningRate, seed, learner => learner.Run(TimeSpan.FromSeconds(seconds)));
                Dictionary<string, object?> took = new(settings, StringComparer.Ordinal) { ["steps"] = trained.Steps };
                figures.Write($"objectives.{name}.knn", trained.Knn, "fraction", seed, took);
                figures.Write($"objectives.{name}.linear", trained.Linear, "fraction", seed, took);
                figures.Write($"objectives.{name}.gain", Math.Max(trained.Knn - first.Knn, trained.Linear - first.Linear), "fraction", seed, took);
            }
        }
    }

    private static Scores Measure(LabelledData data, byte[][] samples, Probe probe, string objective, double rate, int seed, Action<BareLearner> train)
    {
        using var learner = new BareLearner(data, samples, new LearnerOptions
        {
            Clusters = Clusters,
            Seed = seed,
            LearningRate = rate,
            Encoder = "strided",
            Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [objective] = 1 },
        });
        train(learner);
        using Embedder embedder = learner.Embedder();
        return probe.Score(embedder, seed) with { Steps = learner.Steps };
    }

    private sealed record Scores(double Knn, double Linear, long Steps = 0);

    /// <summary>Labelled samples, of which one part is known and the other is asked for.</summary>
    private sealed class Probe(LabelledData data, SourceItem[] known, byte[][] knownSamples, SourceItem[] queries)
    {
        private readonly int[] _classes = [.. known.Select(data.LabelOf)];
        private readonly int[] _wanted = [.. queries.Select(data.LabelOf)];
        private readonly byte[][] _queries = BareLearner.Decode(data, queries);

        public Scores Score(Embedder embedder, int seed)
        {
            (float[] known, float[] queries) = (Embed(embedder, knownSamples), Embed(embedder, _queries));
            return new Scores(
                Share(NearestNeighbours.Predict(known, _classes, queries, embedder.Width)),
                Share(LinearProbe.Predict(known, _classes, queries, embedder.Width, seed)));
        }

        private static float[] Embed(Embedder embedder, byte[][] samples)
        {
            var halves = new Half[samples.Length * embedder.Width];
            embedder.Embed(samples.SelectMany(sample => sample).ToArray(), samples.Length, halves);
            var floats = new float[halves.Length];
            TensorPrimitives.ConvertToSingle(halves, floats);
            return floats;
        }

        private double Share(int[] answers) => answers.Zip(_wanted).Count(pair => pair.First == pair.Second) / (double)answers.Length;
    }
}
