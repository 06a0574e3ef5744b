using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using MudBlazor.Services;
using Shoal.Client;
using Shoal.Pages.Components;
using Shoal.Pages.Data;
using Shoal.Pages.Live;

namespace Shoal.Pages;

/// <summary>Puts Shoal's live pages into a web application, beside its HTTP API, from which they take pictures and bytes of items.</summary>
public static class ShoalPages
{
    /// <summary>A browser takes everything from this silo. Plotly compiles its shaders' callers at run time; Blazor and MudBlazor set styles of elements.</summary>
    private const string Policy = "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

    /// <summary>Registers what the pages need; a <see cref="ShoalClient"/> must be among the services.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="guard">Makes what says who may see and do what by pages; everybody who reaches them may ask it.</param>
    /// <param name="dashboard">Where Orleans' dashboard is, for the page of the silos; null where there is none.</param>
    public static IServiceCollection AddShoalPages(this IServiceCollection services, Func<IServiceProvider, IPageGuard> guard, string? dashboard = null)
    {
        services.AddSingleton(guard);
        services.AddSingleton(new PageOptions(dashboard));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IShoalSource>(provider => new ClientSource(provider.GetRequiredService<ShoalClient>()));
        services.TryAddSingleton(provider => new LiveViews(
            provider.GetRequiredService<IShoalSource>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));

        services.TryAddScoped<PageAccess>();
        services.TryAddScoped<PageEdits>();

        // A page lives as long as its connection to this process, and so do the keys that it is signed with: nothing is written into anybody's home.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddMudServices();
        return services;
    }

    /// <summary>Maps the pages: <c>/</c>, <c>/silos</c> and <c>/watch/…</c>, and what browsers load with them.</summary>
    /// <param name="app">The application.</param>
    /// <param name="open">Told of scripts and styles, which hold nothing of anybody's: for a rule that lets everyone have them.</param>
    /// <returns>The pages and the connection that they live by, for rules on who may use them.</returns>
    public static IEndpointConventionBuilder MapShoalPages(this WebApplication app, Action<IEndpointConventionBuilder>? open = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseWhen(static context => IsPage(context.Request.Path), static pages => pages.Use(static (context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        }));
        app.UseAntiforgery();
        RouteGroupBuilder files = app.MapGroup(string.Empty);
        BrowserFiles.Map(files);
        open?.Invoke(files);

        // What the header above says; Blazor would add its own.
        return app.MapRazorComponents<App>().AddInteractiveServerRenderMode(static options => options.ContentSecurityFrameAncestorsPolicy = null);
    }

    private static bool IsPage(PathString path) =>
        string.Equals(path.Value, "/", StringComparison.Ordinal)
        || path.StartsWithSegments("/watch", StringComparison.Ordinal)
        || path.StartsWithSegments("/silos", StringComparison.Ordinal);
}
