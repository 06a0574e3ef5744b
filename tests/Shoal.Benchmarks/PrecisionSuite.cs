using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Grains.Compute;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.TestKit;
using TorchSharp;

namespace Shoal.Benchmarks;

/// <summary>
/// Whether this machine trains faster in bfloat16 than in float32, what that costs in accuracy, and whether <see cref="Precision.Auto"/>
/// chooses rightly here; and what the layout of channels last would gain.
/// </summary>
internal static class PrecisionSuite
{
    // The runtime has compiled what runs most by then. Few, because an emulated step takes seconds.
    private const int WarmUpSteps = 2;

    private const int LayoutPasses = 16;
    private const int EmulatedPasses = 3;

    /// <summary>Runs it.</summary>
    /// <param name="path">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="steps">Steps of each turn.</param>
    /// <param name="turns">Turns of each precision, in the order ABAB; the speedup is the median over the pairs.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string path, int steps, int turns, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(path);
        await MachineSpeed.WriteAsync(figures);
        using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
        LearnerOptions options = LearnerSettings.Options(data.Settings);
        var shape = new SampleShape(data.Settings.Channels, data.Settings.Height, data.Settings.Width);
        var reduces = Precision.Auto.ComputeType(torch.CPU) == torch.ScalarType.BFloat16;
        var chosen = reduces ? "bfloat16" : "float32";
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["data"] = data.Name,
            ["encoder"] = options.EncoderOf(shape),
            ["steps"] = steps,
            ["turns"] = turns,
            ["auto"] = chosen,
        };
        FigureWriter.Tell($"auto chooses {chosen} here, by what the processor says of itself; both are measured.");
        var speedup = await compute.RunAsync(ComputePriority.Training, data.Name, () => InTurns(data, options, steps, turns, settings, figures));
        var right = reduces == speedup > 1;
        figures.Write("train.precision_auto_right", right ? 1 : 0, "yes or no", null, settings);
        await compute.RunAsync(ComputePriority.Training, data.Name, () =>
        {
            Layouts(shape, options, settings, figures);
            return true;
        });
        FigureWriter.Tell($"auto chose {chosen}, and that was {(right ? "right" : "wrong")}: a step in bfloat16 is {speedup:0.00} times as fast as in float32.");
    }

    private static double InTurns(LabelledData data, LearnerOptions options, int steps, int turns, Dictionary<string, object?> settings, FigureWriter figures)
    {
        var probe = new LabelProbe(data);
        using var full = new BareLearner(data, probe.Samples, options with { Precision = Precision.Full });
        using var reduced = new BareLearner(data, probe.Samples, options with { Precision = Precision.Reduced });
        full.Step(WarmUpSteps);
        reduced.Step(WarmUpSteps);
        List<double> ratios = [];
        for (var turn = 1; turn <= turns; turn++)
        {
            (double inFull, double inReduced) = (Seconds(() => full.Step(steps)) / steps, Seconds(() => reduced.Step(steps)) / steps);
            figures.Write("train.step_float32", 1e3 * inFull, "ms", turn, settings);
            figures.Write("train.step_bfloat16", 1e3 * inReduced, "ms", turn, settings);
            ratios.Add(inFull / inReduced);
        }

        var speedup = Percentiles.Median(ratios);
        figures.Write("train.precision_speedup", speedup, "times", null, settings);

        // After as many steps each, over the same samples in the same order.
        (double known, double reducedKnown) = (probe.Score(full, options.Seed).Knn, probe.Score(reduced, options.Seed).Knn);
        figures.Write("train.float32_knn", known, "fraction", options.Seed, settings);
        figures.Write("train.bfloat16_knn", reducedKnown, "fraction", options.Seed, settings);
        figures.Write("train.precision_accuracy_loss", 100 * (known - reducedKnown), "points", options.Seed, settings);
        return speedup;
    }

    /// <summary>The strided encoder's passes over a step's samples, forth and back, with channels last against channels first.</summary>
    private static void Layouts(SampleShape shape, LearnerOptions options, Dictionary<string, object?> settings, FigureWriter figures)
    {
        using var encoder = EncoderCatalogue.Create("strided", shape);
        using torch.Tensor first = torch.rand([options.FreshPerStep * (1 + options.ReplayPerFresh), shape.Channels, shape.Height, shape.Width]);

        // Convolutions answer in the layout of their input.
        using torch.Tensor turned = first.permute(0, 2, 3, 1).contiguous();
        using torch.Tensor last = turned.permute(0, 3, 1, 2);
        var reduced = Precision.Auto.ComputeType(torch.CPU) == torch.ScalarType.BFloat16 ? LayoutPasses : EmulatedPasses;
        foreach ((torch.ScalarType type, string name, int passes) in new[] { (torch.ScalarType.Float32, "float32", LayoutPasses), (torch.ScalarType.BFloat16, "bfloat16", reduced) })
        {
            encoder.ComputeType = type;
            List<double> ratios = [];
            Pass(first);
            Pass(last);
            for (var i = 0; i < passes; i++)
            {
                ratios.Add(Seconds(() => Pass(first)) / Seconds(() => Pass(last)));
            }

            figures.Write($"train.channels_last_speedup.{name}", Percentiles.Median(ratios), "times", null, settings);
        }

        void Pass(torch.Tensor samples)
        {
            using var scope = torch.NewDisposeScope();
            encoder.zero_grad();
            encoder.forward(samples).square().mean().backward();
        }
    }

    private static double Seconds(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    }
}
