using System.Security.Claims;

namespace Shoal.Web;

/// <summary>What the user of a connection may do, for what people use otherwise than by one route a deed: the pages.</summary>
/// <param name="Scopes">What they may.</param>
/// <param name="Datasets">The datasets that they know of; null for every one.</param>
public sealed record CallerRights(IReadOnlySet<string> Scopes, IReadOnlySet<string>? Datasets);

/// <summary>Finds <see cref="CallerRights"/>.</summary>
public sealed class CallerRightsFinder
{
    private readonly KeyRing _keys;

    internal CallerRightsFinder(KeyRing keys) => _keys = keys;

    /// <summary>What a user may do now. A connection may outlive the key that it was begun with: it is looked up again.</summary>
    /// <param name="user">The user of a request that has passed the access check.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>Null for who is not known, or no longer.</returns>
    /// <exception cref="Contracts.ShoalException">Unavailable: that cannot be looked up now.</exception>
    public async ValueTask<CallerRights?> FindAsync(ClaimsPrincipal user, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        return user.Identity is CallerIdentity { Caller: var caller } && await _keys.HoldsAsync(caller, cancellationToken)
            ? new CallerRights(caller.Scopes, caller.Datasets)
            : null;
    }
}
