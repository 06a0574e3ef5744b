namespace Shoal.Pages.Models;

/// <summary>A value at a moment, or at a step.</summary>
/// <param name="At">Where: seconds, or steps.</param>
/// <param name="Value">What it was.</param>
public readonly record struct Reading(double At, double Value);

/// <summary>A series of readings that never grows beyond a bound: when it is full, every second reading goes, and from then on they are taken half as often.</summary>
/// <param name="capacity">The most readings kept, at least 4.</param>
public sealed class History(int capacity)
{
    private readonly List<Reading> _readings = [];
    private double _apart;

    /// <summary>The readings, oldest first; the newest is always among them.</summary>
    public IReadOnlyList<Reading> Readings => [.. _readings];

    /// <summary>Takes a reading; one that is not later than the last, or not a number, is left out.</summary>
    /// <param name="at">Where.</param>
    /// <param name="value">What.</param>
    public void Add(double at, double value)
    {
        if (!double.IsFinite(value) || (_readings.Count > 0 && at <= _readings[^1].At))
        {
            return;
        }

        // The newest stands in until it is far enough from the one before it.
        if (_readings.Count > 1 && _readings[^1].At - _readings[^2].At < _apart)
        {
            _readings[^1] = new Reading(at, value);
            return;
        }

        if (_readings.Count == capacity)
        {
            Halve();
        }

        _readings.Add(new Reading(at, value));
    }

    private void Halve()
    {
        int kept = 0;
        for (int i = 0; i < _readings.Count; i += 2)
        {
            _readings[kept++] = _readings[i];
        }

        _readings.RemoveRange(kept, _readings.Count - kept);
        _apart = 2 * Math.Max(_apart, (_readings[^1].At - _readings[0].At) / (2.0 * (kept - 1)));
    }
}
