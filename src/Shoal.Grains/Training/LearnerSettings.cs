using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>The learner's options for a dataset, made in one place so that a seat and the model agree.</summary>
internal static class LearnerSettings
{
    public static SampleShape Shape(DatasetSettings settings) => SampleForm.Of(settings).Shape(settings);

    /// <summary>What is wrong with a dataset's settings, one sentence each: what the learner would refuse, too.</summary>
    public static IReadOnlyList<string> Problems(DatasetSettings settings) =>
        settings.Problems() is { Count: > 0 } problems ? problems
        : Options(settings).Problems(Shape(settings)) is { Count: > 0 } refused ? refused
        : [];

    /// <summary>The outer momentum in force: none where the encoder learns without gradients, since it moves what is learned by them.</summary>
    public static double OuterMomentum(DatasetSettings settings) => Options(settings).LearnsByGradient(Shape(settings)) ? settings.OuterMomentum : 0;

    public static LearnerOptions Options(DatasetSettings settings)
    {
        var options = LearnerOptions.Of(SampleForm.Of(settings).Kind) with
        {
            Clusters = settings.Clusters,
            Seed = settings.Seed,
            ReplaySize = settings.ReplaySize,
            Encoder = settings.Encoder,
            Views = settings.Views,
            Replay = settings.Replay is DatasetSettings.MinimumRedundancy ? ReplayPolicy.MinimumRedundancy : ReplayPolicy.Reservoir,
        };
        return settings.Objectives is { Count: > 0 } objectives ? options with { Objectives = objectives } : options;
    }
}
