namespace Shoal.Grains.Training;

/// <summary>Deals a dataset's shards out to seats.</summary>
internal static class Dealing
{
    /// <summary>The seat of each shard: as many shards a seat as its weight says, in turn.</summary>
    /// <param name="shards">How many shards, at least as many as seats.</param>
    /// <param name="weights">The weight of each seat, above 0; every seat has at least one shard.</param>
    public static short[] Of(int shards, IReadOnlyList<double> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, weights.Count);
        var counts = new int[weights.Count];
        var dealt = new short[shards];
        for (var shard = 0; shard < shards; shard++)
        {
            // Whoever has the fewest for its weight is next; while there are only as many shards left as seats without one, one of these.
            var poor = counts.Count(count => count == 0);
            var seat = Enumerable.Range(0, weights.Count)
                .Where(seat => shards - shard > poor || counts[seat] == 0)
                .MinBy(seat => (counts[seat] + 1) / weights[seat]);
            dealt[shard] = (short)seat;
            counts[seat]++;
        }

        return dealt;
    }
}
