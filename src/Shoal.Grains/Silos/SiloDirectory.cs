using Orleans.Runtime.MembershipService.SiloMetadata;
using Shoal.Grains.Hosting;

namespace Shoal.Grains.Silos;

/// <summary>Which silos are up, and what each of them does.</summary>
/// <param name="silos">The members as this silo sees them.</param>
/// <param name="metadata">What they say of themselves.</param>
/// <param name="local">This silo.</param>
/// <param name="options">Its settings.</param>
internal sealed class SiloDirectory(ISiloStatusOracle silos, ISiloMetadataCache metadata, ILocalSiloDetails local, ShoalSiloOptions options)
{
    private volatile bool _leaving;

    /// <summary>This silo.</summary>
    public SiloAddress Local => local.SiloAddress;

    /// <summary>Whether this silo has been told to stop.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>From here on this silo places no shard on itself that can be elsewhere, and opens no dataset.</summary>
    public void Leave() => _leaving = true;

    /// <summary>Whether a silo has a role; false for one whose metadata has not come yet.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="role">The role.</param>
    public bool Has(SiloAddress silo, SiloRoles role) =>
        silo.Equals(Local)
            ? options.Roles.HasFlag(role)
            : metadata.GetSiloMetadata(silo).Metadata.TryGetValue(SiloRoleNames.Key, out var roles) && SiloRoleNames.Parse(roles).HasFlag(role);

    /// <summary>The silos that are up, in a fixed order.</summary>
    public SiloAddress[] Up() => [.. silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Order()];

    /// <summary>The silos that are up and have a role, in a fixed order.</summary>
    /// <param name="role">The role.</param>
    public SiloAddress[] With(SiloRoles role) => Array.FindAll(Up(), silo => Has(silo, role));
}
