namespace Shoal.Grains.Compute;

/// <summary>Settings of a silo's compute thread.</summary>
public sealed record ComputeOptions
{
    /// <summary>Threads that one libtorch operation may use. Default 0: what <c>OMP_NUM_THREADS</c> says, else the host's cores. Several silos on one host must share them.</summary>
    public int IntraOpThreads { get; init; }

    /// <summary>The device that models live on: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>. Default <c>cpu</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>How many requests of one priority may wait. Default 1,024: at 256 samples each, 9 s of embedding on two cores.</summary>
    public int QueueLength { get; init; } = 1_024;

    /// <summary>The share of the thread's time that refreshing old assignments may take while training never waits for samples, 0.01 to 1. Default 0.03: one or two items for each fresh sample.</summary>
    public double RefreshShare { get; init; } = 0.03;

    /// <summary>The share of the thread's time that training keeps while more arrives than can be assigned, 0 to 0.9. Default 0.25. With 0, what floods a silo ends its training.</summary>
    public double TrainingShare { get; init; } = 0.25;

    /// <summary>The nice value of the thread and libtorch's workers, 0 to 19. Default 10: requests are served while training uses every core.</summary>
    public int Niceness { get; init; } = 10;

    /// <summary>Lists every setting that is out of range; empty when all are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (IntraOpThreads is < 0 or > 1_024)
        {
            problems.Add($"Compute: IntraOpThreads is {IntraOpThreads}; must be 0 to 1,024.");
        }

        if (QueueLength is < 1 or > 1_000_000)
        {
            problems.Add($"Compute: QueueLength is {QueueLength}; must be 1 to 1,000,000.");
        }

        if (RefreshShare is not (>= 0.01 and <= 1))
        {
            problems.Add($"Compute: RefreshShare is {RefreshShare}; must be 0.01 to 1.");
        }

        if (TrainingShare is not (>= 0 and <= 0.9))
        {
            problems.Add($"Compute: TrainingShare is {TrainingShare}; must be 0 to 0.9.");
        }

        if (Niceness is < 0 or > 19)
        {
            problems.Add($"Compute: Niceness is {Niceness}; must be 0 to 19.");
        }

        return problems;
    }
}
