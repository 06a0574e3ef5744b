using System.Runtime.CompilerServices;
using Shoal.Storage;

namespace Shoal.Benchmarks;

/// <summary>Counts the calls that a silo makes of its store, and their bytes, where the measuring process can read them.</summary>
/// <param name="inner">The store.</param>
/// <param name="counts">Where they are counted.</param>
internal sealed class CountingStore(IObjectStore inner, StoreCounters counts) : IObjectStore
{
    /// <inheritdoc/>
    public async Task<StoredObject?> GetAsync(string name, CancellationToken ct = default)
    {
        StoredObject? found = await inner.GetAsync(name, ct);
        counts.Add(name, StoreCall.Get, found?.Content.Length ?? 0);
        return found;
    }

    /// <inheritdoc/>
    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default)
    {
        counts.Add(name, StoreCall.Put, content.Length);
        return inner.PutAsync(name, content, condition, ct);
    }

    /// <inheritdoc/>
    public Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        counts.Add(name, StoreCall.Append, content.Length);
        return inner.AppendAsync(name, expectedLength, content, ct);
    }

    /// <inheritdoc/>
    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default) => inner.CutAsync(name, observedLength, length, ct);

    /// <inheritdoc/>
    public async Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default)
    {
        var read = await inner.ReadAsync(name, offset, buffer, ct);
        counts.Add(name, StoreCall.Read, read);
        return read;
    }

    /// <inheritdoc/>
    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default)
    {
        counts.Add(name, StoreCall.Stat, 0);
        return inner.StatAsync(name, ct);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        counts.Add(prefix, StoreCall.List, 0);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, ct))
        {
            yield return info;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken ct = default)
    {
        counts.Add(name, StoreCall.Delete, 0);
        return inner.DeleteAsync(name, ct);
    }
}
