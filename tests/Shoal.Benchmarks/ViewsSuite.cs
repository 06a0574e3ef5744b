using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Grains.Compute;
using Shoal.Learning;
using TorchSharp;

namespace Shoal.Benchmarks;

/// <summary>How fast views are made, and what share of a training step they take.</summary>
internal static class ViewsSuite
{
    private static readonly SampleShape[] Shapes = [new(1, 28, 28), new(3, 32, 32)];

    // Each measured so long, after a tenth of it to warm up.
    private static readonly TimeSpan Each = TimeSpan.FromSeconds(5);

    /// <summary>Runs it.</summary>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
        foreach (SampleShape shape in Shapes)
        {
            // The objective of the default for grey samples, by the encoder that it moves.
            var options = new LearnerOptions { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["moco"] = 1 } };
            var samples = options.FreshPerStep * (1 + options.ReplayPerFresh);
            (double views, double step) = await compute.RunAsync(ComputePriority.Training, "views", () => (Views(shape, samples), Step(shape, options)));
            Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["shape"] = shape.ToString(), ["batch"] = samples, ["encoder"] = options.EncoderOf(shape) };
            figures.Write("views.rate", samples / views, "views/s", options.Seed, settings);

            // A step makes two of each sample.
            figures.Write("views.share", 2 * views / step, "fraction", options.Seed, settings);
        }
    }

    // Seconds for one view of each sample of a step.
    private static double Views(SampleShape shape, int samples)
    {
        var maker = new ViewMaker(shape, torch.CPU);
        using var generator = new torch.Generator(1);
        using torch.Tensor pixels = torch.rand([samples, shape.Channels, shape.Height, shape.Width], generator: generator);
        return Seconds(() => maker.Make(pixels, generator).Dispose());
    }

    private static double Step(SampleShape shape, LearnerOptions options)
    {
        using var learner = new Learner(shape, options);
        var random = new Random(options.Seed);
        var pixels = new byte[options.FreshPerStep * shape.Size];
        return Seconds(() =>
        {
            random.NextBytes(pixels);
            learner.Observe(new SampleBatch(shape, pixels, [.. Enumerable.Range(0, options.FreshPerStep).Select(i => new SampleKey(0, (learner.Steps * options.FreshPerStep) + i))]));
        });
    }

    private static double Seconds(Action work)
    {
        Loop(Each / 10);
        return Loop(Each);

        double Loop(TimeSpan atLeast)
        {
            var clock = Stopwatch.StartNew();
            var times = 0;
            do
            {
                work();
                times++;
            }
            while (clock.Elapsed < atLeast);
            return clock.Elapsed.TotalSeconds / times;
        }
    }
}
