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

    // Norms know what they normalise by then, and at this rate weights do not move. Which objective does not move them does not matter.
    private const int FirstSteps = 20;
    private const double NoRate = 1e-9;
    private const string Any = "moco";
    private const string Companion = "scan";

    /// <summary>Runs it.</summary>
    /// <param name="path">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="names">The objectives; empty for all that the data suits.</param>
    /// <param name="encoder">The encoder, as <see cref="LearnerOptions.Encoder"/>.</param>
    /// <param name="seconds">Seconds of training of each.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="seeds">How many seeds.</param>
    /// <param name="figures">Where figures go.</param>
    /// <exception cref="ShoalException">Invalid: no objective has a name, or the data does not suit it.</exception>
    public static async Task RunAsync(string path, IReadOnlyCollection<string> names, string encoder, int seconds, int firstSeed, int seeds, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(path);
        var shape = new SampleShape(data.Settings.Channels, data.Settings.Height, data.Settings.Width);
        if ((names.Count > 0 ? names : [Any]).SelectMany(name => Of(name).Problems(shape)).FirstOrDefault() is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        await MachineSpeed.WriteAsync(figures);
        using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
        var trial = new Trial(data);
        foreach (var seed in Enumerable.Range(firstSeed, seeds))
        {
            // By encoder: most objectives have the same.
            Dictionary<string, Scores> first = new(StringComparer.Ordinal);
            foreach (LearnerOptions options in (names.Count > 0 ? names : ObjectiveCatalogue.Names).Select(Of).Where(options => options.Problems(shape).Count == 0))
            {
                var (name, taken) = (options.Objectives!.Keys.First(objective => objective is not Companion || options.Objectives.Count == 1), options.EncoderOf(shape));
                Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["encoder"] = taken, ["seconds"] = seconds };
                if (!first.TryGetValue(taken, out Scores? before))
                {
                    before = await TrainAsync(Of(Any) with { Encoder = taken, LearningRate = NoRate }, learner => learner.Step(FirstSteps));
                    first.Add(taken, before);
                    figures.Write("objectives.first_knn", before.Knn, "fraction", seed, settings);
                    figures.Write("objectives.first_linear", before.Linear, "fraction", seed, settings);
                }

                Scores trained = await TrainAsync(options, learner => learner.Run(TimeSpan.FromSeconds(seconds)));
                settings["steps"] = trained.Steps;
                figures.Write($"objectives.{name}.knn", trained.Knn, "fraction", seed, settings);
                figures.Write($"objectives.{name}.linear", trained.Linear, "fraction", seed, settings);
                figures.Write($"objectives.{name}.gain", Math.Max(trained.Knn - before.Knn, trained.Linear - before.Linear), "fraction", seed, settings);
            }

            Task<Scores> TrainAsync(LearnerOptions options, Action<BareLearner> train) =>
                compute.RunAsync(ComputePriority.Training, data.Name, () => trial.Run(options with { Seed = seed }, train));
        }

        LearnerOptions Of(string name)
        {
            // One that collapses alone has beside it what makes the clusters that it sharpens.
            Dictionary<string, double> objectives = new(StringComparer.Ordinal) { [name] = 1 };
            if (ObjectiveCatalogue.Find(name)?.Collapses == true)
            {
                objectives[Companion] = 1;
            }

            return new LearnerOptions { Clusters = data.Settings.Clusters, Encoder = encoder, Objectives = objectives };
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
