using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Answers every failure of the API with RFC 9457 problem details, and says nothing of the inside.</summary>
internal sealed class ProblemMiddleware(RequestDelegate next, IProblemDetailsService problems, ILogger<ProblemMiddleware> logger)
{
    /// <summary>Seconds until an overloaded shard is asked again: its queue drains in less.</summary>
    private const int RetryOverloaded = 1;

    /// <summary>Seconds until an unavailable silo is asked again: about what grains of a killed one need to be back.</summary>
    private const int RetryUnavailable = 5;

    /// <summary>What nginx calls a client that closed the connection; nobody reads it, logs show it.</summary>
    private const int ClientClosed = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null })
            {
                await WriteAsync(context, context.Response.StatusCode, Explain(context.Response.StatusCode));
            }
        }
        catch (ShoalException failure) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, StatusOf(failure.Kind), failure.Message);
        }
        catch (BadHttpRequestException failure) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, failure.StatusCode, failure.Message);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = ClientClosed;
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            logger.LogError(failure, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await WriteAsync(context, StatusCodes.Status500InternalServerError, "Something went wrong inside; the log says what.");
        }
    }

    private static int StatusOf(ShoalErrorKind kind) => kind switch
    {
        ShoalErrorKind.Invalid => StatusCodes.Status400BadRequest,
        ShoalErrorKind.NotFound => StatusCodes.Status404NotFound,
        ShoalErrorKind.Conflict => StatusCodes.Status409Conflict,
        ShoalErrorKind.Overloaded => StatusCodes.Status429TooManyRequests,
        ShoalErrorKind.Damaged => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status503ServiceUnavailable,
    };

    private static string Explain(int status) => status switch
    {
        StatusCodes.Status404NotFound => "There is nothing at this address; /openapi/v1.json lists what there is.",
        StatusCodes.Status405MethodNotAllowed => "This address does not take this method; /openapi/v1.json lists what it takes.",
        _ => ReasonPhrases.GetReasonPhrase(status),
    };

    private async Task WriteAsync(HttpContext context, int status, string detail)
    {
        KeyValuePair<string, StringValues>[] limits = [.. context.Response.Headers.Where(header => header.Key.StartsWith(Tagged.LimitPrefix, StringComparison.Ordinal))];
        context.Response.Clear();
        context.Response.StatusCode = status;
        foreach ((string name, StringValues limit) in limits)
        {
            context.Response.Headers[name] = limit;
        }

        int? retry = status switch
        {
            StatusCodes.Status429TooManyRequests => RetryOverloaded,
            StatusCodes.Status503ServiceUnavailable => RetryUnavailable,
            _ => null,
        };
        if (retry is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
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
}
