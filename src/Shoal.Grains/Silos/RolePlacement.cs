using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime.Placement;
using Shoal.Contracts;

namespace Shoal.Grains.Silos;

/// <summary>Lets a grain live only on silos that have a role.</summary>
/// <param name="role">The role.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class RequiresRoleAttribute(SiloRoles role) : PlacementFilterAttribute(new RoleFilterStrategy(role));

/// <summary>The strategy behind <see cref="RequiresRoleAttribute"/>.</summary>
internal sealed class RoleFilterStrategy : PlacementFilterStrategy
{
    private const string Property = "role";

    /// <summary>For Orleans, which fills it in.</summary>
    public RoleFilterStrategy()
        : this(SiloRoles.None)
    {
    }

    /// <summary>With a role.</summary>
    /// <param name="role">The role.</param>
    public RoleFilterStrategy(SiloRoles role)
        : base(order: 0) => Role = role;

    /// <summary>The role that a silo needs.</summary>
    public SiloRoles Role { get; private set; }

    /// <inheritdoc/>
    public override void AdditionalInitialize(GrainProperties properties) => Role = SiloRoleNames.Parse(GetPlacementFilterGrainProperty(Property, properties) ?? string.Empty);

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, string>> GetAdditionalGrainProperties(
        IServiceProvider services, Type grainClass, GrainType grainType, IReadOnlyDictionary<string, string> existingProperties) => [new(Property, SiloRoleNames.Format(Role))];
}

/// <summary>Leaves the silos that have the role, and says so when there is none.</summary>
/// <remarks>Orleans' own filters by metadata compare candidates with the silo that calls.</remarks>
/// <param name="silos">Who does what.</param>
internal sealed class RoleFilterDirector(SiloDirectory silos) : IPlacementFilterDirector
{
    /// <inheritdoc/>
    public IEnumerable<SiloAddress> Filter(PlacementFilterStrategy filterStrategy, PlacementTarget target, IEnumerable<SiloAddress> candidates)
    {
        SiloRoles role = ((RoleFilterStrategy)filterStrategy).Role;
        SiloAddress[] fit = [.. candidates.Where(silo => silos.Has(silo, role))];
        return fit.Length > 0 ? fit : throw NoSilo(role);
    }

    /// <summary>What a caller is told when no silo has a role.</summary>
    /// <param name="role">The role.</param>
    public static ShoalException NoSilo(SiloRoles role) => new(
        ShoalErrorKind.Unavailable, $"No silo of the cluster has the role '{SiloRoleNames.Format(role)}'; start one with --roles {SiloRoleNames.Format(role)} and try again.");
}
