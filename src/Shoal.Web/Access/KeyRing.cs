using System.Collections.Frozen;
using System.Security.Cryptography;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>The keys as this gateway knows them: asked for at most every few seconds, and never older, so that a revoked key ends.</summary>
/// <param name="client">Where keys are asked for.</param>
/// <param name="time">The clock.</param>
internal sealed class KeyRing(ShoalClient client, TimeProvider time) : IDisposable
{
    /// <summary>After so long the keys are asked for anew; this is how long a revoked one may still be taken.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>A key that is not known may have been created just now, so the keys are asked for at once; but for so many in <see cref="UnknownLifetime"/> only, because strangers with invented ones must not cost a call each.</summary>
    public const int UnknownAtOnce = 8;

    /// <summary>Beyond <see cref="UnknownAtOnce"/>, keys that are not known are asked for when what is known is so old.</summary>
    public static readonly TimeSpan UnknownLifetime = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _asking = new(1);
    private readonly Lock _lock = new();
    private Ring? _ring;
    private long _since = time.GetTimestamp();
    private int _unknown;

    /// <summary>Whose key it is; null when there is no such key, it has ended, or its secret is another.</summary>
    /// <param name="secret">What the caller sent.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable: the keys known are too old, and there are no newer ones to be had. Nobody is let in then.</exception>
    public async ValueTask<Caller?> FindAsync(AccessSecret secret, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        Ring ring = await AskAsync(Before(began, Lifetime), cancellationToken);
        Known? known = ring.Keys.GetValueOrDefault(secret.Prefix)
            ?? (await AskAsync(MayAskAtOnce() ? began : Before(began, UnknownLifetime), cancellationToken)).Keys.GetValueOrDefault(secret.Prefix);
        return known is not null && CryptographicOperations.FixedTimeEquals(known.Hash, secret.Hash) && !(known.Caller.ExpiresAt <= time.GetUtcNow())
            ? known.Caller
            : null;
    }

    /// <summary>Whether what a caller came by, a key or a token, is still good: what was begun with it ends otherwise.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable: the keys known are too old, and there are no newer ones to be had.</exception>
    public async ValueTask<bool> HoldsAsync(Caller caller, CancellationToken cancellationToken)
    {
        DateTimeOffset? ends = caller.ExpiresAt;
        if (caller.Key is { } key)
        {
            if ((await AskAsync(Before(time.GetTimestamp(), Lifetime), cancellationToken)).Keys.GetValueOrDefault(key) is not { } known)
            {
                return false;
            }

            ends = known.Caller.ExpiresAt;
        }

        return !(ends <= time.GetUtcNow());
    }

    public void Dispose() => _asking.Dispose();

    // The keys as they were asked for after a moment: by this call, or by another that was under way.
    private async ValueTask<Ring> AskAsync(long after, CancellationToken cancellationToken)
    {
        if (AskedAfter(after) is { } known)
        {
            return known;
        }

        await _asking.WaitAsync(cancellationToken);
        try
        {
            if (AskedAfter(after) is { } meanwhile)
            {
                return meanwhile;
            }

            // Before it is asked: what is revoked while the answer is on its way may be missing from it.
            long asked = time.GetTimestamp();
            AccessKeyEntry[] entries = await client.KeyEntriesAsync(cancellationToken);
            var ring = new Ring(asked, entries.ToFrozenDictionary(static entry => entry.Key.Prefix, static entry => new Known(CallerOf(entry.Key), entry.Hash), StringComparer.Ordinal));
            Volatile.Write(ref _ring, ring);
            return ring;
        }
        finally
        {
            _asking.Release();
        }
    }

    private bool MayAskAtOnce()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) >= UnknownLifetime)
            {
                (_since, _unknown) = (time.GetTimestamp(), 0);
            }

            return ++_unknown <= UnknownAtOnce;
        }
    }

    private Ring? AskedAfter(long moment) => Volatile.Read(ref _ring) is { } ring && ring.Asked > moment ? ring : null;

    private long Before(long moment, TimeSpan span) => moment - (long)(span.TotalSeconds * time.TimestampFrequency);

    private static Caller CallerOf(AccessKey key) => new()
    {
        Id = $"key:{key.Prefix}",
        Key = key.Prefix,
        Scopes = Caller.Set(key.Scopes),
        Datasets = key.Datasets.Length == 0 ? null : Caller.Set(key.Datasets),
        ExpiresAt = key.ExpiresAt,
        RequestsPerSecond = key.RequestsPerSecond,
        RequestsPerDay = key.RequestsPerDay,
    };

    private sealed record Known(Caller Caller, byte[] Hash);

    private sealed record Ring(long Asked, FrozenDictionary<string, Known> Keys);
}
