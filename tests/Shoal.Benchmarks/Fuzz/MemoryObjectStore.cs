using System.Runtime.CompilerServices;
using Shoal.Storage;

namespace Shoal.Benchmarks;

/// <summary>Objects in memory: what thousands of damaged logs are opened from.</summary>
internal sealed class MemoryObjectStore : IObjectStore
{
    private readonly SortedDictionary<string, byte[]> _objects = new(StringComparer.Ordinal);

    /// <summary>Sets an object's bytes.</summary>
    public void Set(string name, byte[] content) => _objects[name] = content;

    /// <summary>Every object.</summary>
    public IReadOnlyDictionary<string, byte[]> Objects => _objects;

    public Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) =>
        Task.FromResult(_objects.TryGetValue(name, out var content) ? new StoredObject(content, Tag(content)) : null);

    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default)
    {
        var there = _objects.TryGetValue(name, out var before);
        if ((condition.MustBeAbsent && there) || (condition.ETag is { } tag && (!there || !string.Equals(Tag(before!), tag, StringComparison.Ordinal))))
        {
            throw new ObjectConflictException(name, "it is another one");
        }

        _objects[name] = content.ToArray();
        return Task.FromResult(Tag(_objects[name]));
    }

    public Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        var before = _objects.GetValueOrDefault(name) ?? [];
        if (before.Length != expectedLength)
        {
            throw new AppendConflictException(name, expectedLength, before.Length);
        }

        _objects[name] = [.. before, .. content.Span];
        return Task.FromResult(_objects[name].LongLength);
    }

    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default)
    {
        var before = _objects.GetValueOrDefault(name) ?? [];
        if (before.Length != observedLength)
        {
            throw new AppendConflictException(name, observedLength, before.Length);
        }

        _objects[name] = before[..(int)length];
        return Task.CompletedTask;
    }

    public Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default)
    {
        var content = _objects.GetValueOrDefault(name) ?? [];
        var count = (int)Math.Clamp(content.Length - offset, 0, buffer.Length);
        content.AsMemory((int)Math.Min(offset, content.Length), count).CopyTo(buffer);
        return Task.FromResult(count);
    }

    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) =>
        Task.FromResult(_objects.TryGetValue(name, out var content) ? new ObjectInfo(name, content.Length, DateTimeOffset.UnixEpoch) : null);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await Task.CompletedTask;
        foreach (var (name, content) in _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
        {
            yield return new ObjectInfo(name, content.Length, DateTimeOffset.UnixEpoch);
        }
    }

    public Task DeleteAsync(string name, CancellationToken ct = default)
    {
        _objects.Remove(name);
        return Task.CompletedTask;
    }

    private static string Tag(byte[] content) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content));
}
