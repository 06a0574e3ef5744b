using System.Diagnostics.Metrics;

namespace Shoal.Grains.Telemetry;

/// <summary>What shards of this silo say of their items' assignments.</summary>
internal sealed class AssignmentMetrics
{
    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Where meters come from.</param>
    public AssignmentMetrics(IMeterFactory meters) =>
        Lag = new DatasetGauge(meters.Create(DatasetGauge.Meter), "shoal.assignment.lag", "{item}", "Items that wait for their first assignment");

    /// <summary>Items of open shards that wait for their first assignment.</summary>
    public DatasetGauge Lag { get; }
}
