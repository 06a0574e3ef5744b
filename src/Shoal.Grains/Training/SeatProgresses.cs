using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>The progress of several seats as that of one dataset.</summary>
internal static class SeatProgresses
{
    /// <summary>After a round of several seats.</summary>
    /// <param name="before">Before it; null when there was nothing.</param>
    /// <param name="delivered">What they did; at least one.</param>
    public static SeatProgress Merged(SeatProgress? before, IReadOnlyList<SeatDelivery> delivered) => Together([.. delivered.Select(delivery => delivery.Progress)]) with
    {
        Samples = (before?.Samples ?? 0) + delivered.Sum(delivery => delivery.Samples),
        BackwardPasses = (before?.BackwardPasses ?? 0) + delivered.Sum(delivery => delivery.BackwardPasses),
        Rested = delivered.All(delivery => delivery.Resting),
    };

    /// <summary>Now: of one seat its own; of several what they came to at the end of the last round, as fast as they are now.</summary>
    /// <param name="committed">What the manifest says; null when there is nothing.</param>
    /// <param name="now">What the seats say.</param>
    public static SeatProgress? Now(SeatProgress? committed, IReadOnlyList<SeatProgress> now) => now.Count switch
    {
        0 => committed,
        1 => now[0],
        _ => Together(now) with { Samples = committed?.Samples ?? 0, BackwardPasses = committed?.BackwardPasses ?? 0 },
    };

    private static SeatProgress Together(IReadOnlyList<SeatProgress> seats) => seats[0] with
    {
        Steps = seats.Max(seat => seat.Steps),
        ReplayCount = seats.Sum(seat => seat.ReplayCount),
        SamplesPerSecond = seats.Sum(seat => seat.SamplesPerSecond),
        IdleSteps = seats.Min(seat => seat.IdleSteps),
        Segments = seats.Max(seat => seat.Segments),
    };
}
