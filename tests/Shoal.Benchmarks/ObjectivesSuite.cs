using System.Numerics.Tensors;
using Microsoft.Extensions.Logging.Abstractions;
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

    // The one that gradients move, whatever the data; another would learn nothing from an objective.
    private const string Encoder = "strided";

    // Norms know what they normalise by then, and at this rate weights do not move. Which objective does not move them does not matter.
    private const int FirstSteps = 20;
    private const double NoRate = 1e-9;
    private const string Any = "moco";

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
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["seconds"] = seconds };
        using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
        var trial = new Trial(data);
        for (var seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            Scores first = await RunAsync(Any, NoRate, learner => learner.Step(FirstSteps));
            figures.Write("objectives.first_knn", first.Knn, "fraction", seed, settings);
            figures.Write("objectives.first_linear", first.Linear, "fraction", seed, settings);
            foreach (var name in names.Count > 0 ? names : ObjectiveCatalogue.Names)
            {
                Scores trained = await RunAsync(name, new LearnerOptions().LearningRate, learner => learner.Run(TimeSpan.FromSeconds(seconds)));
                Dictionary<string, object?> took = new(settings, StringComparer.Ordinal) { ["steps"] = trained.Steps };
                figures.Write($"objectives.{name}.knn", trained.Knn, "fraction", seed, took);
                figures.Write($"objectives.{name}.linear", trained.Linear, "fraction", seed, took);
                figures.Write($"objectives.{name}.gain", Math.Max(trained.Knn - first.Knn, trained.Linear - first.Linear), "fraction", seed, took);
            }

            Task<Scores> RunAsync(string objective, double rate, Action<BareLearner> train)
            {
                var options = new LearnerOptions
                {
                    Clusters = data.Settings.Clusters,
                    Seed = seed,
                    LearningRate = rate,
                    Encoder = Encoder,
                    Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [objective] = 1 },
                };
                return compute.RunAsync(ComputePriority.Training, data.Name, () => trial.Run(options, train));
            }
        }
    }

    private sealed record Scores(double Knn, double Linear, long Steps);

    /// <summary>A data set, of which some samples' labels are known, and those of others are asked for; the same in every run.</summary>
    private sealed class Trial
    {
        private readonly LabelledData _data;
        private readonly byte[][] _samples;
        private readonly byte[][] _queries;
        private readonly int[] _known;
        private readonly int[] _wanted;

        public Trial(LabelledData data)
        {
            var random = new Random(1);
            SourceItem[] train = [.. data.Train];
            SourceItem[] test = [.. data.Test];
            random.Shuffle(train);
            random.Shuffle(test);
            SourceItem[] queries = [.. test.Take(Queries)];
            _data = data;
            (_samples, _queries) = (BareLearner.Decode(data, train), BareLearner.Decode(data, queries));
            (_known, _wanted) = ([.. train.Take(Known).Select(data.LabelOf)], [.. queries.Select(data.LabelOf)]);
        }

        public Scores Run(LearnerOptions options, Action<BareLearner> train)
        {
            using var learner = new BareLearner(_data, _samples, options);
            train(learner);
            using Embedder embedder = learner.Embedder();
            (float[] known, float[] queries) = (Embed(embedder, _samples[.._known.Length]), Embed(embedder, _queries));
            return new Scores(
                QualitySuite.Share(NearestNeighbours.Predict(known, _known, queries, embedder.Width), _wanted),
                QualitySuite.Share(LinearProbe.Predict(known, _known, queries, embedder.Width, options.Seed), _wanted),
                learner.Steps);
        }

        private static float[] Embed(Embedder embedder, byte[][] samples)
        {
            var halves = new Half[samples.Length * embedder.Width];
            embedder.Embed([.. samples.SelectMany(sample => sample)], samples.Length, halves);
            var floats = new float[halves.Length];
            TensorPrimitives.ConvertToSingle(halves, floats);
            return floats;
        }
    }
}
