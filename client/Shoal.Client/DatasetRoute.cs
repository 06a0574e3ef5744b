using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Finds the shard of an item: a dataset's settings and one grain reference a shard, made once.</summary>
internal sealed class DatasetRoute
{
    private readonly IShardGrain[] _shards;

    public DatasetRoute(string name, DatasetSettings settings, IGrainFactory grains, long loadedAt)
    {
        Settings = settings;
        LoadedAt = loadedAt;
        _shards = new IShardGrain[settings.Shards];
        for (int shard = 0; shard < _shards.Length; shard++)
        {
            _shards[shard] = grains.GetGrain<IShardGrain>(GrainKeys.Shard(name, shard));
        }
    }

    public DatasetSettings Settings { get; }

    /// <summary>When the settings were read, as a timestamp of the client's clock.</summary>
    public long LoadedAt { get; }

    public ReadOnlySpan<IShardGrain> Shards => _shards;

    public IShardGrain this[int shard] => _shards[shard];

    /// <summary>The number of the shard that owns an item.</summary>
    /// <param name="id">A valid item id.</param>
    public int ShardOf(string id) => ItemKey.Of(id).Shard(_shards.Length);
}
