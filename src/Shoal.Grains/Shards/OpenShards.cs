using System.Collections.Concurrent;
using Shoal.Contracts;

namespace Shoal.Grains.Shards;

/// <summary>The shards that are open on this silo.</summary>
internal sealed class OpenShards
{
    private readonly ConcurrentDictionary<IShardGrain, bool> _open = new();

    /// <summary>All of them, in no order.</summary>
    public IShardGrain[] All() => [.. _open.Keys];

    /// <summary>Notes one that opened.</summary>
    /// <param name="shard">A reference to it.</param>
    public void Add(IShardGrain shard) => _open[shard] = true;

    /// <summary>Forgets one that closed.</summary>
    /// <param name="shard">A reference to it.</param>
    public void Remove(IShardGrain shard) => _open.TryRemove(shard, out _);
}
