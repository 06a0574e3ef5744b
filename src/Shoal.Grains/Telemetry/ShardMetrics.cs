using System.Diagnostics;
using System.Diagnostics.Metrics;
using Shoal.Contracts;

namespace Shoal.Grains.Telemetry;

/// <summary>What shards of this silo say of their items, and of what they are asked.</summary>
internal sealed class ShardMetrics
{
    private const string Outcome = "outcome";
    private const string Reason = "reason";
    private const string Asked = "query";

    private readonly Counter<long> _ingested;
    private readonly Counter<long> _failed;
    private readonly Histogram<double> _appends;
    private readonly Histogram<double> _queries;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Where meters come from.</param>
    public ShardMetrics(IMeterFactory meters)
    {
        Meter meter = meters.Create(DatasetGauge.Meter);
        Lag = new DatasetGauge(meter, "shoal.assignment.lag", "{item}", "Items that wait for their first assignment");
        Stale = new DatasetGauge(meter, "shoal.assignment.stale", "{item}", "Items whose assignment is by an older version than the published one");
        Items = new DatasetGauge(meter, "shoal.items", "{item}", "Items that are neither replaced nor deleted");
        Quarantined = new DatasetGauge(meter, "shoal.items.quarantined", "{item}", "Items that cannot be decoded");
        LogSize = new DatasetGauge(meter, "shoal.log.size", "By", "Durable bytes of logs, those of deleted items included until they are erased");
        _ingested = meter.CreateCounter<long>("shoal.items.ingested", "{item}", "Items that were sent to shards, by what became of them");
        _failed = meter.CreateCounter<long>("shoal.appends.failed", "{append}", "Batches of items or deletions that were not stored and may be sent again, by what kept them out");
        _appends = Durations.Of(meter, "shoal.append.duration", "Time until a batch of items is durable");
        _queries = Durations.Of(meter, "shoal.query.duration", "Time that a shard takes for an answer, without the way to it");
    }

    /// <summary>Items of open shards that wait for their first assignment.</summary>
    public DatasetGauge Lag { get; }

    /// <summary>Items of open shards that an older version assigned.</summary>
    public DatasetGauge Stale { get; }

    /// <summary>Items of open shards.</summary>
    public DatasetGauge Items { get; }

    /// <summary>Items of open shards that cannot be decoded.</summary>
    public DatasetGauge Quarantined { get; }

    /// <summary>Bytes of the logs of open shards.</summary>
    public DatasetGauge LogSize { get; }

    /// <summary>Lets failures of a dataset be seen from the first one on: a rate needs a value before it.</summary>
    /// <param name="dataset">The dataset.</param>
    public void Open(string dataset)
    {
        foreach (ShoalErrorKind kind in new[] { ShoalErrorKind.Overloaded, ShoalErrorKind.Unavailable })
        {
            _failed.Add(0, Tag(DatasetGauge.Dataset, dataset), Tag(Reason, Label.Of(kind)));
        }
    }

    /// <summary>Counts the items of a batch.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="results">What became of them.</param>
    public void Ingested(string dataset, ItemResult[] results)
    {
        foreach (IGrouping<IngestOutcome, ItemResult> of in results.GroupBy(result => result.Outcome))
        {
            _ingested.Add(of.Count(), Tag(DatasetGauge.Dataset, dataset), Tag(Outcome, Label.Of(of.Key)));
        }
    }

    /// <summary>Counts a batch that was not stored.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="kind">What its sender is told.</param>
    public void Failed(string dataset, ShoalErrorKind kind) => _failed.Add(1, Tag(DatasetGauge.Dataset, dataset), Tag(Reason, Label.Of(kind)));

    /// <summary>Times an append until what is returned is disposed of.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="span">The append's span, which ends with it.</param>
    public Timing Append(TimeProvider time, string dataset, Activity? span) => new(_appends, time, span, new TagList { Tag(DatasetGauge.Dataset, dataset) });

    /// <summary>Times an answer until what is returned is disposed of, as a span and as a measurement.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="query">What is asked.</param>
    public Timing Query(TimeProvider time, string dataset, string query)
    {
        Activity? span = Traces.Source.StartActivity(Traces.Query);
        span?.SetTag(Traces.DatasetTag, dataset).SetTag(Traces.QueryTag, query);
        return new(_queries, time, span, new TagList { Tag(DatasetGauge.Dataset, dataset), Tag(Asked, query) });
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
