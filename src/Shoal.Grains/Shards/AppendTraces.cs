using System.Diagnostics;

namespace Shoal.Grains.Shards;

/// <summary>Remembers the traces of appends until their items are assigned, which is then the end of the same trace.</summary>
/// <remarks>
/// Only of appends that somebody records, in memory, and the newest ones only: what is forgotten costs the last span of a trace.
/// Used on the shard's turns.
/// </remarks>
/// <param name="most">How many items at most.</param>
internal sealed class AppendTraces(int most = AppendTraces.Most)
{
    // 64 KB. At one request in a hundred these are the last 100,000 items.
    private const int Most = 1_024;

    private readonly Dictionary<long, ActivityContext> _appends = [];
    private readonly Queue<long> _order = new();

    /// <summary>Keeps an item's append in mind.</summary>
    /// <param name="sequence">The item.</param>
    /// <param name="append">The append's span.</param>
    public void Keep(long sequence, ActivityContext append)
    {
        if (_order.Count == most)
        {
            _appends.Remove(_order.Dequeue());
        }

        _order.Enqueue(sequence);
        _appends[sequence] = append;
    }

    /// <summary>Takes an item's append out; null where none is known.</summary>
    /// <param name="sequence">The item.</param>
    public ActivityContext? Take(long sequence) => _appends.Count > 0 && _appends.Remove(sequence, out ActivityContext append) ? append : null;
}
