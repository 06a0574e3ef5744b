using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Shoal.Web;

/// <summary>Lets a request through when its caller may do what the route is for. What is not allowed is refused: a route without a rule is closed.</summary>
internal sealed partial class AccessMiddleware(RequestDelegate next, AccessOptions access, ProblemWriter problems, ILogger<AccessMiddleware> logger)
{
    private const string Challenge = "Bearer realm=\"shoal\"";

    public Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        AccessRule? rule = endpoint?.Metadata.GetMetadata<AccessRule>();
        if (!access.IsRequired || rule is { Scope: null } || context.Features.Get<MetricsPort>() is not null)
        {
            return next(context);
        }

        if (context.Features.Get<Caller>() is not { } caller)
        {
            if (BrowserSession.SignIn(context.Request) is { } signIn)
            {
                context.Response.Redirect(signIn);
                return Task.CompletedTask;
            }

            bool tried = context.Request.Headers.Authorization.Count > 0;
            return RefuseAsync(
                context,
                "nobody",
                StatusCodes.Status401Unauthorized,
                tried ? "The key or token is not valid, has ended, or was revoked." : "Say who you are: send a key as 'Authorization: Bearer KEY'. Keys are made with: shoal key create",
                tried ? $"{Challenge}, error=\"invalid_token\"" : Challenge);
        }

        // Without a route: no such address (404), or another method or media type (405, 415); who is known may be told.
        if (endpoint is not RouteEndpoint)
        {
            return next(context);
        }

        if (rule is null)
        {
            return RefuseAsync(context, caller.Id, StatusCodes.Status403Forbidden, "This address is closed.");
        }

        if (context.Request.RouteValues["dataset"] is string dataset && !caller.Sees(dataset))
        {
            return RefuseAsync(context, caller.Id, StatusCodes.Status404NotFound, Caller.Unknown(dataset));
        }

        if (!caller.Scopes.Contains(rule.Scope!))
        {
            return RefuseAsync(
                context, caller.Id, StatusCodes.Status403Forbidden, $"This needs the scope '{rule.Scope}'; the caller has: {string.Join(", ", caller.Scopes.Order(StringComparer.Ordinal))}.",
                $"{Challenge}, error=\"insufficient_scope\", scope=\"{rule.Scope}\"");
        }

        return rule.EveryDataset && caller.Datasets is not null
            ? RefuseAsync(context, caller.Id, StatusCodes.Status403Forbidden, "This reaches beyond one dataset; it needs a key that is limited to none.")
            : next(context);
    }

    private Task RefuseAsync(HttpContext context, string who, int status, string why, string? challenge = null)
    {
        // By its pattern: a path may hold what was meant for a header.
        LogRefused(who, context.Request.Method, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-", status);
        return problems.WriteAsync(context, status, why, challenge: challenge);
    }

    [LoggerMessage(EventId = 6000, EventName = "CallRefused", Level = LogLevel.Debug, Message = "{Who} was refused {Method} {Route}: {Status}")]
    private partial void LogRefused(string who, string method, string route, int status);
}
