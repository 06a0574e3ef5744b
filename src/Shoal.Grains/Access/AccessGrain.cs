using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Access;

/// <summary>Which keys the HTTP API takes.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed partial class AccessGrain(IObjectStore store, TimeProvider time, ILogger<AccessGrain> logger) : Grain, IAccessGrain
{
    /// <summary>The most keys that are kept: gateways read them all every few seconds, some 300 bytes each.</summary>
    public const int MostKeys = 1_000;

    /// <summary>Who a call from inside the cluster is in the audit log: clients of Orleans have no name.</summary>
    private const string Cluster = "cluster";

    private readonly StoredDocument<AccessState> _state = new(store, StoreNames.AccessKeys);

    private AccessKeyEntry[] Keys => _state.Value?.Keys ?? [];

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken) => _state.LoadAsync();

    /// <inheritdoc/>
    public async Task<AccessKey> CreateAsync(NewAccessKey wanted, string prefix, byte[] hash)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.Problems() is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        if (!AccessSecret.IsPrefix(prefix) || hash is not { Length: SHA256.HashSizeInBytes })
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A key has a prefix of {AccessSecret.PrefixLength} digits of 0-9 and a-f, and a hash of {SHA256.HashSizeInBytes} bytes.");
        }

        if (Array.Find(Keys, entry => string.Equals(entry.Key.Prefix, prefix, StringComparison.Ordinal)) is { } known)
        {
            return CryptographicOperations.FixedTimeEquals(known.Hash, hash)
                ? known.Key
                : throw new ShoalException(ShoalErrorKind.Conflict, $"Another key has the prefix {prefix}; make a new one.");
        }

        if (Keys.Length >= MostKeys)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"There are {MostKeys:N0} keys, the most that are kept; revoke one that nobody uses: shoal key list");
        }

        DateTimeOffset now = time.GetUtcNow();
        var key = new AccessKey
        {
            Prefix = prefix,
            Name = wanted.Name,
            Scopes = wanted.Scopes,
            Datasets = wanted.Datasets ?? [],
            CreatedAt = now,
            ExpiresAt = wanted.Days is { } days ? now.AddDays(days) : null,
            RequestsPerSecond = wanted.RequestsPerSecond,
            RequestsPerDay = wanted.RequestsPerDay,
        };
        await AuditAsync("key create", prefix, now);
        await SaveAsync([.. Keys, new AccessKeyEntry(key, hash)]);
        LogCreated(prefix, wanted.Name, string.Join(' ', wanted.Scopes), string.Join(' ', key.Datasets), key.ExpiresAt);
        return key;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Read anew each time: gateways ask every few seconds at most, and an activation that was left over somewhere must not go on naming a key that was revoked.
    /// While the store is away nobody can revoke anything, and what is known holds.
    /// </remarks>
    public async Task<AccessKeyEntry[]> ListAsync()
    {
        try
        {
            await _state.LoadAsync();
        }
        catch (ShoalException away) when (away.Kind == ShoalErrorKind.Unavailable)
        {
            LogStale(away.Message);
        }

        return Keys;
    }

    /// <inheritdoc/>
    public async Task RevokeAsync(string prefix)
    {
        AccessKeyEntry[] left = Array.FindAll(Keys, entry => !string.Equals(entry.Key.Prefix, prefix, StringComparison.Ordinal));
        if (left.Length == Keys.Length)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no key '{prefix}'; see them with: shoal key list");
        }

        await AuditAsync("key revoke", prefix, time.GetUtcNow());
        await SaveAsync(left);
        LogRevoked(prefix);
    }

    // Before it is done: no key comes or goes that the log does not tell of.
    private Task AuditAsync(string what, string prefix, DateTimeOffset now) => GrainFactory.GetGrain<IAuditGrain>(GrainKeys.Audit).RecordAsync(new AuditEntry
    {
        At = now,
        Who = Cluster,
        What = what,
        Target = prefix,
        Outcome = "taken",
    });

    private Task SaveAsync(AccessKeyEntry[] keys) => this.SaveAsync(_state, new AccessState(keys), "the list of keys");

    [LoggerMessage(EventId = 6500, EventName = "KeyCreated", Level = LogLevel.Information, Message = "Key {Prefix} ({Name}) was created with the scopes {Scopes}, datasets '{Datasets}' (none named: every one), until {ExpiresAt}")]
    private partial void LogCreated(string prefix, string name, string scopes, string datasets, DateTimeOffset? expiresAt);

    [LoggerMessage(EventId = 6501, EventName = "KeyRevoked", Level = LogLevel.Information, Message = "Key {Prefix} was revoked")]
    private partial void LogRevoked(string prefix);

    [LoggerMessage(EventId = 6502, EventName = "KeysStale", Level = LogLevel.Warning, Message = "The list of keys cannot be read anew; the one known holds: {Why}")]
    private partial void LogStale(string why);

    private sealed record AccessState(AccessKeyEntry[] Keys);
}
