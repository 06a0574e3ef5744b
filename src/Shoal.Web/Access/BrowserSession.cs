using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>
/// Lets people use pages with a key: they type it once, and their browser keeps it as a cookie until it is closed. Scripts cannot read the cookie, pages of other sites cannot have it sent,
/// and it goes over TLS or to this host alone.
/// </summary>
internal static class BrowserSession
{
    /// <summary>Where one signs in.</summary>
    public const string Path = "/signin";

    /// <summary>Browsers take a cookie of such a name from no other host, and over no connection that can be read.</summary>
    private const string Cookie = "__Host-shoal-key";

    private const string Field = "key";

    private const string Return = "return";

    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly CookieOptions Kept = new()
    {
        HttpOnly = true,
        Secure = true,
        SameSite = SameSiteMode.Strict,
        Path = "/",
    };

    /// <summary>The key that a browser shows; null where it has none, or another page than ours has it send one.</summary>
    /// <param name="request">The request.</param>
    public static string? Shown(HttpRequest request) => request.Headers.Authorization.Count == 0 && !BrowserGuard.IsForeign(request) ? request.Cookies[Cookie] : null;

    /// <summary>Where a person is sent who asks for a page and is not known; null for programs.</summary>
    /// <param name="request">The request.</param>
    public static string? SignIn(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            ? $"{Path}?{Return}={Uri.EscapeDataString(request.Path + request.QueryString)}"
            : null;

    /// <summary>Maps signing in and out.</summary>
    /// <param name="app">The application.</param>
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Path, static (HttpContext context) => Form(context, StatusCodes.Status200OK, problem: null)).NeedsNothing().ExcludeFromDescription();
        app.MapPost(Path, EnterAsync).NeedsNothing().ExcludeFromDescription();
        app.MapPost("/signout", static (HttpContext context) =>
        {
            context.Response.Cookies.Delete(Cookie, Kept);
            return TypedResults.LocalRedirect(Path);
        }).NeedsNothing().ExcludeFromDescription();
    }

    private static async Task<IResult> EnterAsync(HttpContext context, KeyRing keys)
    {
        if (BrowserGuard.IsForeign(context.Request) || !context.Request.HasFormContentType)
        {
            return Form(context, StatusCodes.Status400BadRequest, "Type the key here; nothing else may send it.");
        }

        IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
        string shown = form[Field].ToString().Trim();
        if (AccessSecret.Parse(shown) is not { } secret || await keys.FindAsync(secret, context.RequestAborted) is null)
        {
            return Form(context, StatusCodes.Status401Unauthorized, "This is no key, or it has ended or was revoked. Keys are made with: shoal key create");
        }

        context.Response.Cookies.Append(Cookie, shown, Kept);
        return TypedResults.LocalRedirect(Local(context.Request));
    }

    // Within this site alone: a link to the form must not lead elsewhere. A second slash or a backslash begins another host.
    private static string Local(HttpRequest request)
    {
        string wanted = request.Query[Return].ToString();
        return wanted is ['/', ..] and not ['/', '/' or '\\', ..] && !wanted.Any(char.IsControl) ? wanted : "/";
    }

    private static ContentHttpResult Form(HttpContext context, int status, string? problem)
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.CacheControl = "no-store";

        // Without a referrer the origin of what is typed here would be "null", as that of any page may be.
        context.Response.Headers["Referrer-Policy"] = "same-origin";
        string action = HtmlEncoder.Default.Encode($"{Path}?{Return}={Uri.EscapeDataString(Local(context.Request))}");
        string said = problem is null ? string.Empty : $"<p role=\"alert\">{HtmlEncoder.Default.Encode(problem)}</p>";
        return TypedResults.Content(
            $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
            <title>Sign in - Shoal</title>
            <style>body{font:16px system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}label,input,button{display:block;font:inherit}input{width:100%;box-sizing:border-box;margin:.5rem 0 1rem;padding:.5rem}button{padding:.5rem 1rem}</style>
            </head>
            <body>
            <main>
            <h1>Shoal</h1>
            {{said}}
            <form method="post" action="{{action}}">
            <label for="key">Key, with the scope read; with ingest it sends files, too, and with manage it edits</label>
            <input id="key" name="{{Field}}" type="password" autocomplete="current-password" required autofocus>
            <button>Sign in</button>
            </form>
            </main>
            </body>
            </html>
            """,
            "text/html; charset=utf-8",
            statusCode: status);
    }
}
