using Shoal.Contracts;

namespace Shoal.Client;

/// <content>A sample of embeddings.</content>
public sealed partial class ShoalClient
{
    /// <summary>Items that are read next to each other: fewer are not worth a call.</summary>
    private const int SampleBlock = 125;

    /// <summary>Embeddings of items from all over a dataset: blocks at even distances in every shard.</summary>
    /// <remarks>
    /// The distance is a power of two of blocks, so that a dataset that grows keeps its sample until it has doubled, and half of it then.
    /// </remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="count">About how many at most, 1 to 100,000.</param>
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
            long end = slices[0].End;
            long apart = SampleDistance(end, block, share);
            for (long at = apart; at < end; at += apart)
            {
                slices.Add(await ReadAsync(shard, at, block));
            }

            return [.. slices.Where(slice => slice.Ids.Length > 0)];
        }

        Task<EmbeddingSlice> ReadAsync(IShardGrain shard, long from, int items) => CallAsync(() => shard.ReadEmbeddingsAsync(from, items), cancellationToken);
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
