using System.Net;
using Microsoft.AspNetCore.Http;

namespace Shoal.Web;

/// <summary>
/// Refuses what pages of other sites send to an API that asks nobody. A browser on this host reaches loopback, and so does any page that it shows: with forms and simple requests,
/// which browsers send without asking, and by a name that is made to mean this host.
/// </summary>
/// <remarks>Where callers are asked for, no browser sends a key by itself, and this is not needed.</remarks>
internal sealed class BrowserGuard(RequestDelegate next, ProblemWriter problems)
{
    private const string FetchSite = "Sec-Fetch-Site";

    public Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (context.Features.Get<MetricsPort>() is null && request.Host.HasValue && !IsLoopback(request.Host.Host))
        {
            return problems.WriteAsync(
                context, StatusCodes.Status403Forbidden, $"An API that asks nobody answers to 127.0.0.1 and localhost, not to '{request.Host.Host}'. Under another name start the silo with --auth.");
        }

        return IsForeign(request)
            ? problems.WriteAsync(context, StatusCodes.Status403Forbidden, "A page of another site sent this. Start the silo with --auth for programs in browsers.")
            : next(context);
    }

    /// <summary>Whether a page of another site sent what may change something, or opens a connection by which it could.</summary>
    /// <param name="request">The request.</param>
    public static bool IsForeign(HttpRequest request) => (IsUnsafe(request.Method) || request.Headers.Upgrade.Count > 0) && IsOfAnotherSite(request);

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static bool IsUnsafe(string method) => !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method));

    // Browsers of these years say from where a request comes, and no page can say it for them. Older ones send the origin with what is not a plain GET: "null" where a page tells nobody where it is.
    private static bool IsOfAnotherSite(HttpRequest request) => request.Headers[FetchSite].ToString() switch
    {
        "same-origin" or "none" => false,
        { Length: > 0 } => true,
        _ => request.Headers.Origin.ToString() is { Length: > 0 } origin && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? page) && string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)),
    };
}
