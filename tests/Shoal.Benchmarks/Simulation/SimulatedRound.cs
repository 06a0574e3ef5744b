namespace Shoal.Benchmarks.Simulation;

/// <summary>One round of a dataset's seats.</summary>
/// <param name="loop">The simulated time.</param>
/// <param name="number">Its number.</param>
/// <param name="begunAt">When it began.</param>
/// <param name="seconds">For how long it trains.</param>
internal sealed class SimulatedRound(EventLoop loop, long number, double begunAt, double seconds)
{
    /// <summary>Its number.</summary>
    public long Number => number;

    /// <summary>When it began.</summary>
    public double BegunAt => begunAt;

    /// <summary>For how long it trains.</summary>
    public double Seconds => seconds;

    /// <summary>Seats that delivered in time.</summary>
    public HashSet<int> Delivered { get; } = [];

    /// <summary>When the last of them did; null before the first.</summary>
    public double? LastAt { get; set; }

    /// <summary>The round after it; null while it is under way.</summary>
    public SimulatedRound? Next { get; set; }

    /// <summary>It is over.</summary>
    public Signal Over { get; } = new(loop);
}
