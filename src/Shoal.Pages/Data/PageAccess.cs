using Microsoft.AspNetCore.Components.Authorization;

namespace Shoal.Pages.Data;

/// <summary>Who uses one page, and what they may do.</summary>
/// <param name="guard">Who knows what they may.</param>
/// <param name="people">Who it is.</param>
public sealed class PageAccess(IPageGuard guard, AuthenticationStateProvider people)
{
    /// <summary>Who it is where nobody is asked, as the HTTP API calls them.</summary>
    private const string Everyone = "everyone";

    /// <summary>What the audit log calls them.</summary>
    public async Task<string> WhoAsync() => (await people.GetAuthenticationStateAsync()).User.Identity?.Name ?? Everyone;

    /// <summary>As whom they are signed in; null where nobody is asked.</summary>
    public async Task<string?> SignedInAsync() => await WhoAsync() is var who && string.Equals(who, Everyone, StringComparison.Ordinal) ? null : who;

    /// <summary>What they may do now.</summary>
    /// <exception cref="Contracts.ShoalException">Unavailable: that cannot be looked up now.</exception>
    public async Task<PageRights> RightsAsync() => await guard.RightsAsync((await people.GetAuthenticationStateAsync()).User);
}
