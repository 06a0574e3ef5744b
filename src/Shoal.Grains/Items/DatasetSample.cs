using Shoal.Contracts;

namespace Shoal.Grains.Items;

/// <summary>Reads some items of a dataset, from every shard as many.</summary>
internal static class DatasetSample
{
    private const int SliceItems = 256;
    private const int SliceBytes = 8 * 1024 * 1024;

    // Where a shard's log is read: in so many places, equally far apart.
    private const int Places = 8;

    /// <summary>Items spread over each shard's log, shards by turns.</summary>
    /// <param name="grains">Where shards are asked.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="shards">How many shards it has.</param>
    /// <param name="items">How many items at most.</param>
    /// <param name="keep">What is kept of a slice's items, one each, null for one to leave out: their bytes are not.</param>
    /// <typeparam name="T">What is kept of an item.</typeparam>
    public static async Task<T[]> ReadAsync<T>(IGrainFactory grains, string dataset, int shards, int items, Func<int, ItemUpload[], Task<T?[]>> keep)
        where T : class
    {
        var each = (items + shards - 1) / shards;
        List<T>[] read = await Task.WhenAll(Enumerable.Range(0, shards).Select(shard =>
            ReadShardAsync(grains.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, shard)), each, of => keep(shard, of))));
        return [.. Enumerable.Range(0, each).SelectMany(turn => read.Where(of => turn < of.Count).Select(of => of[turn])).Take(items)];
    }

    private static async Task<List<T>> ReadShardAsync<T>(IShardGrain shard, int items, Func<ItemUpload[], Task<T?[]>> keep)
        where T : class
    {
        List<T> read = [];
        var end = (await shard.ReadItemsAsync(0, 1, SliceBytes)).End;
        var places = Math.Min(Places, items);
        for (var place = 0; place < places; place++)
        {
            var (next, stop, wanted) = (end * place / places, end * (place + 1) / places, (items * (place + 1) / places) - read.Count);
            while (wanted > 0 && next < stop)
            {
                ItemSlice slice = await shard.ReadItemsAsync(next, Math.Min(SliceItems, wanted), SliceBytes);
                T[] kept = [.. (await keep([.. slice.Items.Where(item => item.Sequence < stop).Select(item => item.Item)])).OfType<T>()];
                read.AddRange(kept);
                (wanted, next) = (wanted - kept.Length, Math.Max(slice.Next, next + 1));
            }
        }

        return read;
    }
}
