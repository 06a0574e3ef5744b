using System.Security.Claims;
using Shoal.Contracts;
using Shoal.Pages.Data;
using Shoal.Web;

namespace Shoal.Silo;

/// <summary>Lets people do by pages what their keys let them do by the HTTP API.</summary>
/// <param name="callers">Who knows that.</param>
internal sealed class PageGuard(CallerRightsFinder callers) : IPageGuard
{
    /// <inheritdoc/>
    public async ValueTask<PageRights> RightsAsync(ClaimsPrincipal who) => await callers.FindAsync(who) is { } rights
        ? new PageRights
        {
            MayRead = rights.Scopes.Contains(AccessScopes.Read),
            MayStore = rights.Scopes.Contains(AccessScopes.Ingest),
            MayManage = rights.Scopes.Contains(AccessScopes.Manage),
            Datasets = rights.Datasets,
        }
        : PageRights.None;
}
