using Bunit;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using MudBlazor.Services;
using Shoal.Pages.Data;
using Shoal.Pages.Live;

namespace Shoal.Pages.Tests;

/// <summary>What pages need, with a source, a guard and a clock that a test has in its hand.</summary>
public abstract class PageContext : BunitContext
{
    /// <summary>How long a page is waited for.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private protected PageContext(string? dashboard = null)
    {
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddMudServices();
        Services.AddSingleton<IShoalSource>(Source);
        Services.AddSingleton<TimeProvider>(new FakeTimeProvider());
        Services.AddSingleton<AuthenticationStateProvider>(new FakeGuard.Somebody());
        Services.AddSingleton<IPageGuard>(Guard);
        Services.AddSingleton<PageAccess>();
        Services.AddSingleton<PageEdits>();
        Services.AddSingleton(new PageOptions(dashboard));

        // The clock stands still: pages read once, and again after an edit.
        Services.AddSingleton(new LiveViews(Source, new FakeTimeProvider(), CancellationToken.None));
    }

    private protected FakeSource Source { get; } = new();

    private protected FakeGuard Guard { get; } = new();
}
