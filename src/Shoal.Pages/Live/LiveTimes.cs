namespace Shoal.Pages.Live;

/// <summary>How long views wait.</summary>
internal static class LiveTimes
{
    /// <summary>Reading goes on for so long after the last watcher has left: whoever goes from page to page keeps trends, and the map its places.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(60);

    /// <summary>A status costs one call a shard; people see no difference to less.</summary>
    public static readonly TimeSpan Often = TimeSpan.FromSeconds(2);

    /// <summary>Exemplars and places cost more, and change with versions and silos.</summary>
    public static readonly TimeSpan Sometimes = TimeSpan.FromSeconds(5);

    /// <summary>A map takes thousands of embeddings from the shards.</summary>
    public static readonly TimeSpan Seldom = TimeSpan.FromSeconds(10);
}
