using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Keys of the HTTP API, and its audit log.</content>
public sealed partial class ShoalClient
{
    private IAccessGrain Access => _cluster.GetGrain<IAccessGrain>(GrainKeys.Access);

    /// <summary>Creates a key of the HTTP API.</summary>
    /// <param name="wanted">What it may do.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The key with its secret, which is kept nowhere: give it to its user now.</returns>
    /// <exception cref="ShoalException">Invalid, Conflict (there are as many keys as are kept), Unavailable.</exception>
    public async Task<CreatedKey> CreateKeyAsync(NewAccessKey wanted, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.Problems() is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        // Made here, so that the secret itself is in no message and on no silo.
        AccessSecret secret = AccessSecret.New();
        IAccessGrain access = Access;
        AccessKey key = await CallAsync(() => access.CreateAsync(wanted, secret.Prefix, secret.Hash), cancellationToken);
        return new CreatedKey(key, secret.Text);
    }

    /// <summary>The keys of the HTTP API, in the order in which they were created; never their secrets.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public async Task<AccessKey[]> ListKeysAsync(CancellationToken cancellationToken = default) =>
        Array.ConvertAll(await KeyEntriesAsync(cancellationToken), static entry => entry.Key);

    /// <summary>The keys with what a gateway compares: hashes of their secrets.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<AccessKeyEntry[]> KeyEntriesAsync(CancellationToken cancellationToken = default) =>
        CallAsync(Access.ListAsync, cancellationToken);

    /// <summary>Revokes a key: gateways refuse it within five seconds.</summary>
    /// <param name="prefix">Its prefix, as the list shows it.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    public async Task RevokeKeyAsync(string prefix, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        IAccessGrain access = Access;
        await GoneAsync(() => access.RevokeAsync(prefix), cancellationToken);
    }

    /// <summary>Appends to the audit log.</summary>
    /// <param name="entry">Who did what.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task RecordAuditAsync(AuditEntry entry, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        IAuditGrain audit = _cluster.GetGrain<IAuditGrain>(GrainKeys.Audit);
        return CallAsync(() => audit.RecordAsync(entry), cancellationToken);
    }
}

/// <summary>A key that was created now. No record: those print what they hold.</summary>
/// <param name="key">The key.</param>
/// <param name="secret">Its whole text.</param>
public sealed class CreatedKey(AccessKey key, string secret)
{
    /// <summary>The key.</summary>
    public AccessKey Key { get; } = key;

    /// <summary>What its user sends: <c>Authorization: Bearer SECRET</c>. It cannot be had again.</summary>
    public string Secret { get; } = secret;
}
