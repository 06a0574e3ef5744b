namespace Shoal.Pages.Models;

/// <summary>How fast a counter grows: over the last half minute, so that a number can be read before it changes.</summary>
/// <param name="time">The clock.</param>
public sealed class RateMeter(TimeProvider time)
{
    /// <summary>What a rate is taken over.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly Queue<(long At, long Count)> _readings = new();

    /// <summary>Takes a reading.</summary>
    /// <param name="count">The counter now.</param>
    /// <returns>Its growth a second; NaN for the first reading. A counter that fell, as of a dataset made anew, begins again.</returns>
    public double Read(long count)
    {
        long now = time.GetTimestamp();
        if (_readings.Count > 0 && _readings.Peek().Count > count)
        {
            _readings.Clear();
        }

        // One reading from before the window stays: the rate is over the whole of it.
        while (_readings.Count > 1 && time.GetElapsedTime(_readings.ElementAt(1).At, now) >= Window)
        {
            _readings.Dequeue();
        }

        _readings.Enqueue((now, count));
        (long at, long first) = _readings.Peek();
        double seconds = time.GetElapsedTime(at, now).TotalSeconds;
        return seconds > 0 ? (count - first) / seconds : double.NaN;
    }
}
