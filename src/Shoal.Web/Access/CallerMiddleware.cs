using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Finds out who sent a request. It refuses nobody: limits come before that, and then <see cref="AccessMiddleware"/>.</summary>
internal sealed class CallerMiddleware(RequestDelegate next, AccessOptions access, KeyRing keys, OpenRequests open, ProblemWriter problems)
{
    private const string Bearer = "Bearer ";

    public async Task InvokeAsync(HttpContext context)
    {
        if (!access.IsRequired)
        {
            context.Features.Set(Caller.Everyone);
            context.User = Caller.Everyone.User;
            await next(context);
            return;
        }

        string? shown = Shown(context.Request.Headers.Authorization) ?? BrowserSession.Shown(context.Request);
        AccessSecret? secret = AccessSecret.Parse(shown);
        Caller? caller;
        try
        {
            caller = await FindAsync(context, shown, secret);
        }
        catch (ShoalException away)
        {
            await problems.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"Who may call cannot be looked up now: {away.Message}");
            return;
        }

        if (caller is null)
        {
            await next(context);
            return;
        }

        context.Features.Set(caller);
        context.User = caller.User;
        using IDisposable watched = open.Watch(context, caller);
        await next(context);
    }

    // Two headers: which of them a proxy in front has looked at is not known, so neither counts.
    private static string? Shown(StringValues header) => header.Count == 1 && header[0] is { } value && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
        ? value[Bearer.Length..].Trim()
        : null;

    private async ValueTask<Caller?> FindAsync(HttpContext context, string? shown, AccessSecret? secret)
    {
        if (secret is not null)
        {
            return await keys.FindAsync(secret, context.RequestAborted);
        }

        return shown is { Length: > 0 } && access.Authority is not null && !shown.StartsWith(AccessSecret.Mark, StringComparison.Ordinal) ? await Tokens.FindAsync(context, access) : null;
    }
}
