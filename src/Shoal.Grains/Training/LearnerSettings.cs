using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>The learner's options for a dataset, made in one place so that a seat and the model agree.</summary>
internal static class LearnerSettings
{
    public static SampleShape Shape(DatasetSettings settings) => new(settings.Channels, settings.Height, settings.Width);

    public static LearnerOptions Options(DatasetSettings settings)
    {
        var options = new LearnerOptions { Clusters = settings.Clusters, Seed = settings.Seed, ReplaySize = settings.ReplaySize };
        return settings.Objectives is { Count: > 0 } objectives ? options with { Objectives = objectives } : options;
    }
}
