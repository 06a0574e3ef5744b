using System.Collections.Frozen;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Callers by tokens of an OpenID Connect issuer: JWTs, signed with one of the keys that the issuer publishes (RFC 9068, RFC 8725).</summary>
internal static class Tokens
{
    // Signatures that a public key verifies, and nothing else: no token is signed with what everyone may read, or not at all.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    // Where issuers put scopes: OAuth's own, Entra ID's for users, and for programs.
    private static readonly string[] ScopeClaims = ["scope", "scp", "roles"];

    private static readonly char[] Separators = [' ', ','];

    /// <summary>Registers what reads tokens.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="access">The issuer.</param>
    public static void Add(IServiceCollection services, AccessOptions access) =>
        services.AddAuthentication().AddJwtBearer(JwtBearerDefaults.AuthenticationScheme, jwt =>
        {
            jwt.Authority = access.Authority;
            jwt.Audience = access.Audience;
            // Claims keep the names that they have in the token.
            jwt.MapInboundClaims = false;
            jwt.TokenValidationParameters.ValidAlgorithms = Algorithms;
            jwt.TokenValidationParameters.RequireExpirationTime = true;
            jwt.Events = new JwtBearerEvents
            {
                OnMessageReceived = static message =>
                {
                    // The scheme is the only one, and so is asked for every request; a key is no token.
                    if (message.Request.Headers.Authorization.ToString().Contains(AccessSecret.Mark, StringComparison.Ordinal))
                    {
                        message.NoResult();
                    }

                    return Task.CompletedTask;
                },
            };
        });

    /// <summary>Whose token a request brings; null when it is not valid, or names nobody.</summary>
    /// <param name="context">The request.</param>
    /// <param name="access">What claims mean.</param>
    public static async Task<Caller?> FindAsync(HttpContext context, AccessOptions access)
    {
        AuthenticateResult result = await context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        return result is { Succeeded: true, Principal: { } bearer } && (bearer.FindFirst("sub") ?? bearer.FindFirst("azp") ?? bearer.FindFirst("client_id")) is { Value.Length: > 0 } subject && !subject.Value.Any(char.IsControl)
            ? new Caller
            {
                Id = $"jwt:{subject.Value}",
                Scopes = Caller.Set(Words(bearer, ScopeClaims)
                    .Where(word => word.StartsWith(access.ScopePrefix, StringComparison.Ordinal))
                    .Select(word => word[access.ScopePrefix.Length..])),
                Datasets = DatasetsOf(bearer, access.DatasetsClaim),
                ExpiresAt = result.Properties?.ExpiresUtc,
                RequestsPerSecond = access.TokenRequestsPerSecond,
            }
            : null;
    }

    private static FrozenSet<string>? DatasetsOf(ClaimsPrincipal bearer, string? claim)
    {
        if (claim is null)
        {
            return null;
        }

        string[] named = [.. Words(bearer, claim)];
        return named.Contains("*", StringComparer.Ordinal) ? null : Caller.Set(named);
    }

    private static IEnumerable<string> Words(ClaimsPrincipal bearer, params string[] claims) => bearer.Claims
        .Where(claim => claims.Contains(claim.Type, StringComparer.Ordinal))
        .SelectMany(claim => claim.Value.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
