using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Shoal.Grains.Telemetry;

/// <summary>A gauge with a value for each dataset: the sum of what its parts on this silo say when it is read.</summary>
/// <remarks>Nobody is asked over the network for it; who wants the whole dataset's value adds up the silos'.</remarks>
internal sealed class DatasetGauge
{
    /// <summary>The meter of all of Shoal's instruments.</summary>
    public const string Meter = "Shoal";

    /// <summary>The tag that names the dataset.</summary>
    public const string Dataset = "dataset";

    private readonly ConcurrentDictionary<Part, string> _parts = new();

    /// <summary>Makes the gauge.</summary>
    /// <param name="meter">The meter that it belongs to.</param>
    /// <param name="name">Its name.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="description">What it says.</param>
    public DatasetGauge(Meter meter, string name, string unit, string description) => meter.CreateObservableGauge(name, Measure, unit, description);

    /// <summary>Adds a part of a dataset, until what is returned is disposed of.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="value">Its value now; called on any thread.</param>
    public IDisposable Add(string dataset, Func<long> value)
    {
        var part = new Part(this, value);
        _parts[part] = dataset;
        return part;
    }

    private IEnumerable<Measurement<long>> Measure() => _parts
        .GroupBy(part => part.Value, StringComparer.Ordinal)
        .Select(parts => new Measurement<long>(parts.Sum(part => part.Key.Value()), KeyValuePair.Create<string, object?>(Dataset, parts.Key)));

    private sealed class Part(DatasetGauge gauge, Func<long> value) : IDisposable
    {
        public Func<long> Value => value;

        public void Dispose() => gauge._parts.TryRemove(this, out _);
    }
}
