using Orleans.Core.Internal;
using Orleans.Runtime.Placement;
using Shoal.Contracts;

namespace Shoal.Grains.Shards;

/// <summary>Moves shards between silos while they are in use.</summary>
internal static class ShardMoves
{
    /// <summary>Closes a shard where it is and opens it elsewhere; calls wait meanwhile, for as long as its sidecars take to copy.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="to">Where it is to open.</param>
    public static async Task MoveAsync(IShardGrain shard, SiloAddress to)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, to);
        try
        {
            await shard.Cast<IGrainManagementExtension>().MigrateOnIdle();
        }
        finally
        {
            RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        }

        // Answered once it is open.
        await shard.GetGoneAsync([]);
    }

    /// <summary>The moves that even out how many of a dataset's shards each silo has: the fewest that do.</summary>
    /// <param name="places">Where each shard is; null for one that is open nowhere.</param>
    /// <param name="silos">The silos that may have shards.</param>
    /// <typeparam name="T">How silos are told apart.</typeparam>
    public static IReadOnlyList<(int Shard, T To)> Even<T>(IReadOnlyList<T?> places, IReadOnlyList<T> silos)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(places);
        ArgumentNullException.ThrowIfNull(silos);
        List<int>[] shards = [.. silos.Select(silo => Enumerable.Range(0, places.Count).Where(shard => silo.Equals(places[shard])).ToList())];
        var moves = new List<(int, T)>();
        while (shards.Length > 1)
        {
            var poor = Enumerable.Range(0, shards.Length).MinBy(silo => shards[silo].Count);
            List<int> rich = shards.MaxBy(list => list.Count)!;
            if (rich.Count - shards[poor].Count < 2)
            {
                break;
            }

            moves.Add((rich[^1], silos[poor]));
            shards[poor].Add(rich[^1]);
            rich.RemoveAt(rich.Count - 1);
        }

        return moves;
    }
}
