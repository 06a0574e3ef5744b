using Microsoft.AspNetCore.Builder;

namespace Shoal.Web;

/// <summary>What a route asks of its caller: metadata that every endpoint has, set where it is mapped. One without it is closed.</summary>
/// <param name="Scope">The scope that a caller needs; null where nobody is asked.</param>
/// <param name="EveryDataset">Whether it reaches beyond the dataset of its path, and so is closed to callers that are limited to some.</param>
public sealed record AccessRule(string? Scope, bool EveryDataset = false)
{
    /// <summary>Nobody is asked.</summary>
    public static readonly AccessRule Open = new(Scope: null);
}

/// <summary>Sets <see cref="AccessRule"/>.</summary>
internal static class AccessRules
{
    /// <summary>Opens a route to callers with a scope.</summary>
    /// <typeparam name="TBuilder">The kind of builder.</typeparam>
    /// <param name="route">The route.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="everyDataset">Whether callers that are limited to datasets are refused.</param>
    public static TBuilder Needs<TBuilder>(this TBuilder route, string scope, bool everyDataset = false)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new AccessRule(scope, everyDataset));

    /// <summary>Opens a route to everyone.</summary>
    /// <typeparam name="TBuilder">The kind of builder.</typeparam>
    /// <param name="route">The route.</param>
    public static TBuilder NeedsNothing<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(AccessRule.Open);
}
