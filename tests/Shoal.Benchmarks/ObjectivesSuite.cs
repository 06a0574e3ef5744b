using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Training;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What is asked of <see cref="ObjectivesSuite"/>.</summary>
/// <param name="Data">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
/// <param name="FrontEnd">Of recordings, as <see cref="DatasetSettings.FrontEnd"/>.</param>
/// <param name="Only">The objectives; empty for all that the data suits.</param>
/// <param name="Encoder">As <see cref="DatasetSettings.Encoder"/>.</param>
/// <param name="Views">As <see cref="DatasetSettings.Views"/>.</param>
/// <param name="Seconds">Of training of each.</param>
/// <param name="FirstSeed">The first seed.</param>
/// <param name="Seeds">How many seeds.</param>
internal sealed record ObjectivesRequest(string Data, string FrontEnd, IReadOnlyCollection<string> Only, string Encoder, string Views, int Seconds, int FirstSeed, int Seeds);

/// <summary>What each objective alone makes of an encoder in a given time, against the same encoder with its first weights.</summary>
internal static class ObjectivesSuite
{
    // Norms know what they normalise by then, and at this rate weights do not move. Which objective does not move them does not matter.
    private const int FirstSteps = 20;
    private const double NoRate = 1e-9;
    private const string Any = "moco";
    private const string Companion = "scan";

    /// <summary>Runs it.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="figures">Where figures go.</param>
    /// <exception cref="ShoalException">Invalid: no objective has a name, or the data does not suit it.</exception>
    public static async Task RunAsync(ObjectivesRequest request, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(request.Data, request.FrontEnd);
        SampleShape shape = LearnerSettings.Shape(data.Settings);
        IReadOnlyCollection<string> names = request.Only;
        if ((names.Count > 0 ? names : [Any]).SelectMany(name => Of(name).Problems(shape)).FirstOrDefault() is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        await MachineSpeed.WriteAsync(figures);
        using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
        var probe = new LabelProbe(data);
        foreach (var seed in Enumerable.Range(request.FirstSeed, request.Seeds))
        {
            // By encoder: most objectives have the same.
            Dictionary<string, Trained> first = new(StringComparer.Ordinal);
            foreach (LearnerOptions options in (names.Count > 0 ? names : ObjectiveCatalogue.Names).Select(Of).Where(options => options.Problems(shape).Count == 0))
            {
                var (name, taken) = (options.Objectives!.Keys.First(objective => objective is not Companion || options.Objectives.Count == 1), options.EncoderOf(shape));
                Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["encoder"] = taken, ["views"] = request.Views, ["seconds"] = request.Seconds };
                if (!first.TryGetValue(taken, out Trained? before))
                {
                    before = await TrainAsync(Of(Any) with { Encoder = taken, LearningRate = NoRate }, learner => learner.Step(FirstSteps));
                    first.Add(taken, before);
                    figures.Write("objectives.first_knn", before.Knn, "fraction", seed, settings);
                    figures.Write("objectives.first_linear", before.Linear, "fraction", seed, settings);
                }

                Trained trained = await TrainAsync(options, learner => learner.Run(TimeSpan.FromSeconds(request.Seconds)));
                settings["steps"] = trained.Steps;
                figures.Write($"objectives.{name}.knn", trained.Knn, "fraction", seed, settings);
                figures.Write($"objectives.{name}.linear", trained.Linear, "fraction", seed, settings);
                figures.Write($"objectives.{name}.gain", Math.Max(trained.Knn - before.Knn, trained.Linear - before.Linear), "fraction", seed, settings);
            }

            Task<Trained> TrainAsync(LearnerOptions options, Action<BareLearner> train) => compute.RunAsync(ComputePriority.Training, data.Name, () =>
            {
                using var learner = new BareLearner(data, probe.Samples, options with { Seed = seed });
                train(learner);
                (double knn, double linear) = probe.Score(learner, seed);
                return new Trained(knn, linear, learner.Steps);
            });
        }

        LearnerOptions Of(string name)
        {
            // One that collapses alone has beside it what makes the clusters that it sharpens.
            Dictionary<string, double> objectives = new(StringComparer.Ordinal) { [name] = 1 };
            if (ObjectiveCatalogue.Find(name)?.Collapses == true)
            {
                objectives[Companion] = 1;
            }

            return LearnerSettings.Options(data.Settings with { Encoder = request.Encoder, Views = request.Views, Objectives = objectives });
        }
    }

    private sealed record Trained(double Knn, double Linear, long Steps);
}
