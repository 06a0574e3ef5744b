using Shoal.Storage;

namespace Shoal.Grains.Telemetry;

/// <summary>Times what a silo asks of its store.</summary>
/// <param name="inner">The store.</param>
/// <param name="metrics">Where times go.</param>
internal sealed class MeteredObjectStore(IObjectStore inner, StorageMetrics metrics) : IObjectStore
{
    /// <inheritdoc/>
    public Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => metrics.TimeAsync("get", () => inner.GetAsync(name, ct));

    /// <inheritdoc/>
    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default) =>
        metrics.TimeAsync("put", () => inner.PutAsync(name, content, condition, ct));

    /// <inheritdoc/>
    public Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        metrics.TimeAsync("append", () => inner.AppendAsync(name, expectedLength, content, ct));

    /// <inheritdoc/>
    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default) =>
        metrics.TimeAsync("cut", async () =>
        {
            await inner.CutAsync(name, observedLength, length, ct);
            return true;
        });

    /// <inheritdoc/>
    public Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default) =>
        metrics.TimeAsync("read", () => inner.ReadAsync(name, offset, buffer, ct));

    /// <inheritdoc/>
    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) => metrics.TimeAsync("stat", () => inner.StatAsync(name, ct));

    // A listing is as long as who reads it takes.
    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken ct = default) => inner.ListAsync(prefix, ct);

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken ct = default) =>
        metrics.TimeAsync("delete", async () =>
        {
            await inner.DeleteAsync(name, ct);
            return true;
        });
}
