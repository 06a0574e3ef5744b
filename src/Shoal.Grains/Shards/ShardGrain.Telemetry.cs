using System.Diagnostics;
using Shoal.Contracts;

namespace Shoal.Grains.Shards;

/// <summary>What a shard tells whoever watches it.</summary>
internal sealed partial class ShardGrain
{
    private void BeginMetrics()
    {
        metrics.Open(_dataset);
        // Read on other threads: each value is one number.
        _gauges =
        [
            metrics.Lag.Add(_dataset, () => Math.Max(0, _items.Pending)),
            metrics.Stale.Add(_dataset, () => Interlocked.Read(ref _stale)),
            metrics.Items.Add(_dataset, () => _items.Live),
            metrics.Quarantined.Add(_dataset, () => _items.Ledger.Quarantined),
            metrics.LogSize.Add(_dataset, () => _items.Log.DurableBytes),
        ];
    }

    private void EndMetrics() => Array.ForEach(_gauges, gauge => gauge.Dispose());

    // Of a collection that changes, so it is counted on a turn: whenever the dataset is looked at.
    private void CountStale()
    {
        var published = _pump.Version?.Version ?? 0;
        Interlocked.Exchange(ref _stale, _items.Ledger.Versions.Where(version => version.Key < published).Sum(version => version.Value));
    }

    /// <summary>Says in an append's span what it stored, and keeps it in mind until that is assigned.</summary>
    private void Trace(Activity? span, ItemResult[] results)
    {
        if (span is not { Recorded: true })
        {
            return;
        }

        span.SetTag(Traces.DatasetTag, _dataset).SetTag(Traces.ShardTag, _shard).SetTag(Traces.ItemsTag, results.Length);
        foreach (ItemResult result in results.Where(result => result.Outcome is IngestOutcome.Accepted or IngestOutcome.Replaced))
        {
            _pump.Appends.Keep(result.Sequence, span.Context);
        }
    }
}
