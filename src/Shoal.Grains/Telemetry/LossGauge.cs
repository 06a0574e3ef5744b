using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Shoal.Grains.Telemetry;

/// <summary>A gauge with a value for each term of a dataset's loss, which an objective names.</summary>
/// <remarks>A silo has one seat of a dataset, so that no two say the same term.</remarks>
internal sealed class LossGauge
{
    private const string Term = "term";

    private readonly ConcurrentDictionary<Seat, string> _seats = new();

    /// <summary>Makes the gauge.</summary>
    /// <param name="meter">The meter that it belongs to.</param>
    /// <param name="name">Its name.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="description">What it says.</param>
    public LossGauge(Meter meter, string name, string unit, string description) => meter.CreateObservableGauge(name, Measure, unit, description);

    /// <summary>Adds a dataset's seat, until what is returned is disposed of.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="terms">Its terms now, in a dictionary that nobody changes; called on any thread.</param>
    public IDisposable Add(string dataset, Func<IReadOnlyDictionary<string, double>> terms)
    {
        var seat = new Seat(this, terms);
        _seats[seat] = dataset;
        return seat;
    }

    private IEnumerable<Measurement<double>> Measure() =>
        from seat in _seats
        from term in seat.Key.Terms()
        select new Measurement<double>(term.Value, KeyValuePair.Create<string, object?>(DatasetGauge.Dataset, seat.Value), KeyValuePair.Create<string, object?>(Term, term.Key));

    private sealed class Seat(LossGauge gauge, Func<IReadOnlyDictionary<string, double>> terms) : IDisposable
    {
        public Func<IReadOnlyDictionary<string, double>> Terms => terms;

        public void Dispose() => gauge._seats.TryRemove(this, out _);
    }
}
