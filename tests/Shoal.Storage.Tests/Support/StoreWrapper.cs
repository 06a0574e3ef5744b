namespace Shoal.Storage.Tests;

/// <summary>Passes everything on; a test overrides what it wants to break, pause or count.</summary>
internal class StoreWrapper(IObjectStore inner) : IObjectStore
{
    protected IObjectStore Inner => inner;

    public virtual Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => inner.GetAsync(name, ct);

    public virtual Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default) =>
        inner.PutAsync(name, content, condition, ct);

    public virtual Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        inner.AppendAsync(name, expectedLength, content, ct);

    public virtual Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default) =>
        inner.CutAsync(name, observedLength, length, ct);

    public virtual Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default) =>
        inner.ReadAsync(name, offset, buffer, ct);

    public virtual Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) => inner.StatAsync(name, ct);

    public virtual IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken ct = default) => inner.ListAsync(prefix, ct);

    public virtual Task DeleteAsync(string name, CancellationToken ct = default) => inner.DeleteAsync(name, ct);
}

/// <summary>The broken control: appends wherever the end is, as a store without compare-and-append would.</summary>
internal sealed class CarelessStore(IObjectStore inner) : StoreWrapper(inner)
{
    public override async Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        while (true)
        {
            try
            {
                long end = (await Inner.StatAsync(name, ct))?.Length ?? 0;
                return await Inner.AppendAsync(name, end, content, ct);
            }
            catch (AppendConflictException)
            {
                // Somebody was faster; this store does not care.
            }
        }
    }
}

/// <summary>Calls back around appends.</summary>
internal sealed class HookedStore(IObjectStore inner) : StoreWrapper(inner)
{
    public Func<string, Task>? BeforeAppend { get; set; }

    public Func<string, Task>? AfterAppend { get; set; }

    public int Appends { get; private set; }

    public override async Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        await (BeforeAppend?.Invoke(name) ?? Task.CompletedTask);
        long length = await Inner.AppendAsync(name, expectedLength, content, ct);
        Appends++;
        await (AfterAppend?.Invoke(name) ?? Task.CompletedTask);
        return length;
    }
}
