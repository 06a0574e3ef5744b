using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Scalar.AspNetCore;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>The OpenAPI document as a page to browse and to try things on, at <c>/docs</c>.</summary>
/// <remarks>The page's script comes out of the package's assembly. The policy sees to it that a browser fetches nothing from anywhere else, whatever the script would like.</remarks>
internal static class DocsPage
{
    private const string Path = "/docs";

    private const string Policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:";

    public static void Map(WebApplication app)
    {
        app.UseWhen(static context => context.Request.Path.StartsWithSegments(Path, StringComparison.Ordinal), static page => page.Use(static (context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            return next(context);
        }));
        // A group, so that the page's script has the rule, too.
        RouteGroupBuilder docs = app.MapGroup(string.Empty).Needs(AccessScopes.Read);
        docs.MapScalarApiReference(Path, static options => options
            .WithTitle("Shoal")
            .DisableDefaultFonts()
            .DisableAgent()
            .DisableMcp()
            .DisableTelemetry()
            .HideClientButton());
    }
}
