using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Grains.Compute;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What the end of a round costs the learner, and what merging models costs, in this process.</summary>
internal static class LearnerCosts
{
    private const int Steps = 80;
    private const int Rounds = 5;
    private const int Replicas = 8;
    private const int Merges = 20;

    /// <summary>Prints <c>scale.step_cpu_ms</c>, <c>scale.settle_cpu_ms</c> and <c>scale.merge_us_per_mb</c>.</summary>
    /// <param name="data">What is learned.</param>
    /// <param name="figures">Where figures go.</param>
    /// <returns>The seconds of a round's end.</returns>
    public static async Task<double> WriteAsync(LabelledData data, FigureWriter figures)
    {
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["threads"] = 1, ["steps"] = Steps };
        // The thread that a silo has: its priority, its memory settings.
        using var compute = new ComputeThread(new ComputeOptions { IntraOpThreads = 1 }, TimeProvider.System, NullLogger<ComputeThread>.Instance);
        using BareLearner learner = await compute.RunAsync(ComputePriority.Training, data.Name, () => new BareLearner(data));
        Task<double> TimeAsync(Action work) => compute.RunAsync(ComputePriority.Training, data.Name, () => Time(work));
        await TimeAsync(() => Repeat(Steps / 2, learner.Step));
        var step = await TimeAsync(() => Repeat(Steps / 2, learner.Step)) / (Steps / 2);
        figures.Write("scale.step_cpu_ms", step * 1e3, "ms/step", null, settings);
        await TimeAsync(learner.EndRound);
        var settle = await TimeAsync(() => Repeat(Rounds, learner.EndRound)) / Rounds;
        figures.Write("scale.settle_cpu_ms", settle * 1e3, "ms/round", null, settings);

        IReadOnlyList<NamedTensor> model = await compute.RunAsync(ComputePriority.Training, data.Name, learner.Model);
        (IReadOnlyList<NamedTensor>, double)[] replicas = [.. Enumerable.Range(1, Replicas).Select(weight => (model, (double)weight))];
        Repeat(Merges, () => ModelAverage.Of(replicas));
        var merging = Time(() => Repeat(Merges, () => ModelAverage.Of(replicas)));
        var megabytes = model.Sum(tensor => tensor.Data.LongLength) * Replicas * Merges / 1e6;
        figures.Write("scale.merge_us_per_mb", merging * 1e6 / megabytes, "us/MB", null, settings);
        return settle;
    }

    private static void Repeat(int times, Action work)
    {
        for (var i = 0; i < times; i++)
        {
            work();
        }
    }

    // Processor time of this process, which does nothing else: a busy machine takes longer, not more.
    private static double Time(Action work)
    {
        using var self = Process.GetCurrentProcess();
        TimeSpan before = self.TotalProcessorTime;
        work();
        self.Refresh();
        return (self.TotalProcessorTime - before).TotalSeconds;
    }
}
