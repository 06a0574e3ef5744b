using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Dashboard;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>The dashboard of Orleans (Microsoft.Orleans.Dashboard): which grains there are on which silos, what is called, how often, how long it takes and how often it fails.</summary>
/// <remarks>Its page, script, styles and fonts come out of the package's assembly.</remarks>
public static class ShoalDashboard
{
    /// <summary>Where it is. With the slash, beside which its page looks for its files.</summary>
    public const string Address = Path + "/";

    private const string Path = "/dashboard";

    // Looser than the API's by what it draws with, and tighter than the pages': its script compiles nothing at run time, and needs no connection but to this address.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // What it would serve beyond figures. By the first anybody calls every grain's methods that take nothing, those that change something and those that tell secrets of webhooks among them,
    // with a mere GET. By the second the process's log is read, and logs are for who may read them on the silo's host.
    private static readonly string[] Closed = ["/GrainState", "/Trace"];

    /// <summary>Lets a silo tell of its grains: of calls only while somebody looks, and for a minute after.</summary>
    /// <param name="silo">The silo. Every silo of the cluster must, or the dashboard lacks what the others do; its own grain may be on any of them.</param>
    public static ISiloBuilder AddShoalDashboard(this ISiloBuilder silo) => silo.AddDashboard();

    /// <summary>Maps the dashboard, for callers that manage every dataset.</summary>
    /// <param name="app">The application; the dashboard must be among its services.</param>
    /// <remarks>Called after <see cref="ShoalWeb.MapShoalApi"/>, whose checks it needs.</remarks>
    public static WebApplication MapShoalDashboard(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseWhen(static context => context.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase), static page => page.Use(static (context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            return next(context);
        }));
        RouteGroupBuilder dashboard = app.MapOrleansDashboard(Path).Needs(AccessScopes.Manage, everyDataset: true).ExcludeFromDescription();
        foreach (string address in Closed)
        {
            // Before the dashboard's own.
            dashboard.MapGet(address, static (HttpContext context, ProblemWriter problems) => problems.WriteAsync(context, StatusCodes.Status404NotFound, "Shoal's dashboard does not serve this."))
                .WithOrder(-1);
        }

        return app;
    }
}
