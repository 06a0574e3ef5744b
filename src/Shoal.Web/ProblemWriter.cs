using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Shoal.Web;

/// <summary>Writes answers that say what went wrong, as RFC 9457 problem details.</summary>
/// <param name="problems">What writes them as JSON.</param>
internal sealed class ProblemWriter(IProblemDetailsService problems)
{
    /// <summary>Seconds until an overloaded shard is asked again: its queue drains in less.</summary>
    private const int RetryOverloaded = 1;

    /// <summary>Seconds until an unavailable silo is asked again: about what grains of a killed one need to be back.</summary>
    private const int RetryUnavailable = 5;

    /// <summary>Writes one instead of whatever the answer held.</summary>
    /// <param name="context">The request, whose answer has not begun.</param>
    /// <param name="status">The status.</param>
    /// <param name="detail">What went wrong, and what to do.</param>
    /// <param name="retrySeconds">Seconds after which the same may be asked again; null for what is usual of the status.</param>
    /// <param name="challenge">What <c>WWW-Authenticate</c> says; null for no such header.</param>
    public async Task WriteAsync(HttpContext context, int status, string detail, int? retrySeconds = null, string? challenge = null)
    {
        KeyValuePair<string, StringValues>[] limits = [.. context.Response.Headers.Where(header => header.Key.StartsWith(Tagged.LimitPrefix, StringComparison.Ordinal))];
        context.Response.Clear();
        context.Response.StatusCode = status;
        foreach ((string name, StringValues limit) in limits)
        {
            context.Response.Headers[name] = limit;
        }

        if ((retrySeconds ?? Retry(status)) is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (challenge is not null)
        {
            context.Response.Headers.WWWAuthenticate = challenge;
        }

        if (status == StatusCodes.Status413PayloadTooLarge && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            // The rest of the body may still be on its way; a client must not send its next request behind it.
            context.Response.Headers.Connection = "close";
        }

        var answer = new ProblemDetailsContext { HttpContext = context, ProblemDetails = { Status = status, Detail = detail } };
        if (!await problems.TryWriteAsync(answer))
        {
            // The caller accepts no JSON.
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(detail);
        }
    }

    private static int? Retry(int status) => status switch
    {
        StatusCodes.Status429TooManyRequests => RetryOverloaded,
        StatusCodes.Status503ServiceUnavailable => RetryUnavailable,
        _ => null,
    };
}
