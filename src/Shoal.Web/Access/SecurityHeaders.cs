using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Shoal.Web;

/// <summary>Headers by which browsers make nothing of an answer but what it is. Routes that set their own keep them.</summary>
internal static class SecurityHeaders
{
    private static readonly (string Name, StringValues Value)[] Headers =
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        // Caches that several users share must not hand on what one of them may see.
        ("Cache-Control", "private, no-cache"),
    ];

    public static void Use(IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        // At the last moment: an error begins the answer anew.
        context.Response.OnStarting(
            static state =>
            {
                IHeaderDictionary answer = ((HttpContext)state).Response.Headers;
                foreach ((string name, StringValues value) in Headers)
                {
                    answer.TryAdd(name, value);
                }

                return Task.CompletedTask;
            },
            context);
        return next(context);
    });
}
