using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Answers every failure of the API with RFC 9457 problem details, and says nothing of the inside.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ProblemWriter problems, ILogger<ProblemMiddleware> logger)
{
    /// <summary>What nginx calls a client that closed the connection; nobody reads it, logs show it.</summary>
    private const int ClientClosed = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null })
            {
                await problems.WriteAsync(context, context.Response.StatusCode, Explain(context.Response.StatusCode));
            }
        }
        catch (ShoalException failure) when (!context.Response.HasStarted)
        {
            await problems.WriteAsync(context, StatusOf(failure.Kind), failure.Message);
        }
        catch (BadHttpRequestException failure) when (!context.Response.HasStarted)
        {
            await problems.WriteAsync(context, failure.StatusCode, failure.Message);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = ClientClosed;
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            LogFailed(context.Request.Method, context.Request.Path, failure);
            await problems.WriteAsync(context, StatusCodes.Status500InternalServerError, "Something went wrong inside; the log says what.");
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

    [LoggerMessage(EventId = 1000, EventName = "RequestFailed", Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailed(string method, string path, Exception exception);
}
