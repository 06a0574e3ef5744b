using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Access;

/// <summary>Keeps the audit log.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed class AuditGrain(IObjectStore store) : Grain, IAuditGrain
{
    private readonly AuditLog _log = new(store);

    /// <inheritdoc/>
    public Task RecordAsync(AuditEntry entry) => _log.AppendAsync(entry);
}
