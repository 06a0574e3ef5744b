using System.IO.Hashing;
using System.Runtime.InteropServices;
using Orleans.Placement;
using Orleans.Runtime.Placement;
using Shoal.Contracts;
using Shoal.Grains.Silos;

namespace Shoal.Grains.Shards;

/// <summary>Places the shards of a dataset on silos in turn.</summary>
/// <remarks>Orleans' own placement by load puts all of them on the silo that was started last: it has the most to spare, until they are open.</remarks>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShardPlacementAttribute() : PlacementAttribute(new ShardPlacementStrategy());

/// <summary>The strategy behind <see cref="ShardPlacementAttribute"/>.</summary>
[GenerateSerializer, Immutable]
internal sealed class ShardPlacementStrategy : PlacementStrategy;

/// <summary>Finds the silo: the one that a move names, or the next in turn; never this one while it leaves.</summary>
/// <param name="silos">Who is up.</param>
internal sealed class ShardPlacementDirector(SiloDirectory silos) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        SiloAddress[] fit = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, fit) is { } named)
        {
            return Task.FromResult(named);
        }

        SiloAddress[] staying = [.. fit.Where(silo => fit.Length == 1 || !silos.IsLeaving || !silo.Equals(silos.Local)).Order()];
        return Task.FromResult(staying[(int)(Turn(target.GrainIdentity.Key.ToString()!) % (uint)staying.Length)]);
    }

    // Datasets begin at different silos: a hundred with one shard each are not all on the first. A number that is none is refused once it is open.
    private static ulong Turn(string key)
    {
        (var dataset, var number) = GrainKeys.Split(key);
        return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(dataset.AsSpan())) + (int.TryParse(number, out var shard) ? (ulong)shard : 0);
    }
}
