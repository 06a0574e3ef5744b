using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>Finds out which samples that a learner holds are of items that were deleted or replaced since.</summary>
/// <remarks>Shards are asked for what the learner holds, and not told to tell: nothing can be missed, whatever was restored from whichever checkpoint.</remarks>
internal sealed class GoneSamples(IGrainFactory grains, string dataset)
{
    /// <summary>Asks all shards of the samples, one call each.</summary>
    /// <param name="keys">Packed sample keys.</param>
    /// <returns>Those that are gone.</returns>
    /// <exception cref="ShoalException">A shard is away.</exception>
    public async Task<IReadOnlySet<long>> FindAsync(IReadOnlyCollection<long> keys)
    {
        ILookup<int, long> bySequence = keys.Select(SampleKey.Unpack).ToLookup(key => key.Shard, key => key.Sequence);
        IEnumerable<long>[] gone = await Task.WhenAll(bySequence.Select(shard => FindAsync(shard.Key, [.. shard])));
        return gone.SelectMany(found => found).ToHashSet();
    }

    private async Task<IEnumerable<long>> FindAsync(int shard, long[] sequences)
    {
        try
        {
            var gone = await grains.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, shard)).GetGoneAsync(sequences);
            return gone.Select(sequence => new SampleKey(shard, sequence).Packed);
        }
        catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
        {
            // What is gone is known again once it is repaired; the others are asked all the same.
            return [];
        }
    }
}
