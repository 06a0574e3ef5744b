using System.Security.Claims;
using System.Security.Principal;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Pages.Data;

namespace Shoal.Pages.Tests;

/// <summary>Lets whoever comes do what a test says, everything unless it says otherwise.</summary>
internal sealed class FakeGuard : IPageGuard
{
    public PageRights Rights { get; set; } = PageRights.All;

    /// <summary>The edits of somebody at a page.</summary>
    public static PageEdits Edits(IShoalSource source, PageRights? rights = null) => new(
        source, new PageAccess(new FakeGuard { Rights = rights ?? PageRights.All }, new Somebody()), TimeProvider.System, NullLogger<PageEdits>.Instance);

    public ValueTask<PageRights> RightsAsync(ClaimsPrincipal who) => ValueTask.FromResult(Rights);

    /// <summary>Who has signed in.</summary>
    internal sealed class Somebody : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() =>
            Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new GenericIdentity("key:0123abcd", "test"))));
    }
}
