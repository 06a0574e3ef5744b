using Orleans.Placement;
using Orleans.Runtime.Placement;
using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>Places a seat on the silo that its key names.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SeatPlacementAttribute() : PlacementAttribute(new SeatPlacementStrategy());

/// <summary>The strategy behind <see cref="SeatPlacementAttribute"/>.</summary>
[GenerateSerializer, Immutable]
internal sealed class SeatPlacementStrategy : PlacementStrategy;

/// <summary>Finds the silo.</summary>
internal sealed class SeatPlacementDirector : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var named = SiloAddress.FromParsableString(GrainKeys.Split(target.GrainIdentity.Key.ToString()!).Suffix);
        return context.GetCompatibleSilos(target).Contains(named)
            ? Task.FromResult(named)
            : throw new OrleansException($"The silo {named} that this seat belongs to is gone; the model deals its shards anew.");
    }
}
