using Shoal.Contracts;

namespace Shoal.Fakes;

/// <summary>Keys in memory, with the rules of the real one that clients see.</summary>
public sealed class FakeAccessGrain(FakeStore store) : Grain, IAccessGrain
{
    public Task<AccessKey> CreateAsync(NewAccessKey wanted, string prefix, byte[] hash)
    {
        var key = new AccessKey
        {
            Prefix = prefix,
            Name = wanted.Name,
            Scopes = wanted.Scopes,
            Datasets = wanted.Datasets,
            CreatedAt = DateTimeOffset.UnixEpoch,
            ExpiresAt = wanted.Days is { } days ? TimeProvider.System.GetUtcNow().AddDays(days) : null,
            RequestsPerSecond = wanted.RequestsPerSecond,
            RequestsPerDay = wanted.RequestsPerDay,
        };
        store.Keys[prefix] = new AccessKeyEntry(key, hash);
        return Task.FromResult(key);
    }

    public Task<AccessKeyEntry[]> ListAsync() => store.KeyFailures.TryDequeue(out Exception? failure)
        ? throw failure
        : Task.FromResult(store.Keys.Values.OrderBy(entry => entry.Key.Name, StringComparer.Ordinal).ToArray());

    public Task RevokeAsync(string prefix) => store.Keys.TryRemove(prefix, out _)
        ? Task.CompletedTask
        : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no key '{prefix}'.");
}

/// <summary>The audit log in memory.</summary>
public sealed class FakeAuditGrain(FakeStore store) : Grain, IAuditGrain
{
    public Task RecordAsync(AuditEntry entry)
    {
        store.Audit.Enqueue(entry);
        return Task.CompletedTask;
    }
}
