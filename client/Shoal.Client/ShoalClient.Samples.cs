using System.Numerics;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>A sample of embeddings.</content>
public sealed partial class ShoalClient
{
    /// <summary>Items that are read next to each other: fewer are not worth a call.</summary>
    private const int SampleBlock = 125;

    /// <summary>Embeddings of items from all over a dataset: blocks at even distances in every shard.</summary>
    /// <remarks>
    /// The distance is a power of two of blocks, so that a dataset that grows keeps these until it has doubled, and half of them then. What they leave of
    /// a shard's share is read half-way between some of them.
    /// </remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="count">How many at most, 1 to 100,000; so many are read where shards are large enough and all items have embeddings.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>What was read; where many items have no embedding, one may stand in two of them.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<EmbeddingSlice[]> SampleEmbeddingsAsync(string dataset, int count, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(count), count, 1, 100_000);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        IShardGrain[] shards = route.Shards.ToArray();
        int share = Math.Max(1, count / shards.Length);
        EmbeddingSlice[][] read = await Task.WhenAll(shards.Select(ReadShardAsync));
        return [.. read.SelectMany(slices => slices)];

        async Task<EmbeddingSlice[]> ReadShardAsync(IShardGrain shard)
        {
            int block = Math.Min(share, SampleBlock);
            var slices = new List<EmbeddingSlice> { await ReadAsync(shard, 0, block) };

            // The first one tells how long the shard is.
            foreach ((long from, int items) in SampleBlocks(slices[0].End, block, share).Skip(1))
            {
                slices.Add(await ReadAsync(shard, from, items));
            }

            return [.. slices.Where(slice => slice.Ids.Length > 0)];
        }

        Task<EmbeddingSlice> ReadAsync(IShardGrain shard, long from, int items) => CallAsync(() => shard.ReadEmbeddingsAsync(from, items), cancellationToken);
    }

    /// <summary>Where blocks of a sample lie in a shard.</summary>
    /// <param name="end">The shard's first unused position.</param>
    /// <param name="block">Items in a block, up to a share.</param>
    /// <param name="share">The most items read.</param>
    /// <returns>Where each begins, the first at 0, and how many items are read there.</returns>
    internal static IReadOnlyList<(long From, int Items)> SampleBlocks(long end, int block, int share)
    {
        long apart = SampleDistance(end, block, share);
        List<(long From, int Items)> blocks = [(0, block)];
        long left = share - Math.Min(block, end);
        for (long at = apart; at < end; at += apart)
        {
            blocks.Add((at, block));
            left -= Math.Min(block, end - at);
        }

        // Those that divide the shard most coarsely first: they are spread over it, and stay the first when it grows.
        long between = apart > block ? (end + (apart / 2) - 1) / apart : 0;
        foreach (long i in Enumerable.Range(0, (int)between).OrderByDescending(BitOperations.TrailingZeroCount))
        {
            if (left <= 0)
            {
                break;
            }

            long at = (i * apart) + (apart / 2);
            int items = (int)Math.Min(block, left);
            blocks.Add((at, items));
            left -= Math.Min(items, end - at);
        }

        return blocks;
    }

    /// <summary>How far apart blocks begin, so that no more than a share of a shard is read.</summary>
    /// <param name="end">The shard's first unused position.</param>
    /// <param name="block">Items in a block.</param>
    /// <param name="share">The most items read.</param>
    internal static long SampleDistance(long end, int block, int share)
    {
        long apart = block;
        while ((end + apart - 1) / apart * block > share && apart < end)
        {
            apart *= 2;
        }

        return apart;
    }
}
