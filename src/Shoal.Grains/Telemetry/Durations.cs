using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Shoal.Grains.Telemetry;

/// <summary>Makes histograms of seconds.</summary>
internal static class Durations
{
    // From an answer out of memory (10 µs) to a store that hangs (10 s): three bounds a decade.
    private static readonly double[] Bounds = [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Makes one.</summary>
    /// <param name="meter">The meter that it belongs to.</param>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it says.</param>
    public static Histogram<double> Of(Meter meter, string name, string description) =>
        meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
}

/// <summary>Records the seconds until it is disposed of, and ends a span with them.</summary>
/// <param name="histogram">Where they go.</param>
/// <param name="time">The clock.</param>
/// <param name="span">The span; null where nobody listens.</param>
/// <param name="tags">The measurement's tags.</param>
internal readonly struct Timing(Histogram<double> histogram, TimeProvider time, Activity? span, TagList tags) : IDisposable
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>The span; null where nobody listens.</summary>
    public Activity? Span => span;

    /// <inheritdoc/>
    public void Dispose()
    {
        histogram.Record(time.GetElapsedTime(_started).TotalSeconds, tags);
        span?.Dispose();
    }
}
