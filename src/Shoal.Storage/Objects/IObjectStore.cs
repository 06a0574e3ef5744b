namespace Shoal.Storage;

/// <summary>Keeps named objects durably: small ones swapped whole, long ones appended to.</summary>
/// <remarks>
/// A name is either put or appended to, never both. Names are separated by slashes; see <see cref="ObjectNames"/>.
/// Every method may throw <see cref="StorageUnavailableException"/>, the only transient failure.
/// Implementations are safe for concurrent use, and every promise holds between processes too.
/// </remarks>
public interface IObjectStore
{
    /// <summary>Reads a whole small object; null when there is none.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="ct">Cancels the wait.</param>
    Task<StoredObject?> GetAsync(string name, CancellationToken ct = default);

    /// <summary>Writes a whole object, durable on return; readers see the old content or the new, never a mixture.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="content">What it shall hold.</param>
    /// <param name="condition">What must hold for the write to happen.</param>
    /// <param name="ct">Cancels the wait; the write may still happen.</param>
    /// <returns>The ETag of the new content.</returns>
    /// <exception cref="ObjectConflictException">The condition does not hold: read again, then decide.</exception>
    Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default);

    /// <summary>
    /// Appends when the object is exactly <paramref name="expectedLength"/> bytes long (0 creates it); all or nothing, durable on return,
    /// as is everything that was there before. An empty append checks the length and makes durable what is there.
    /// </summary>
    /// <param name="name">The object's name.</param>
    /// <param name="expectedLength">The length that the caller knows, in bytes.</param>
    /// <param name="content">The bytes to add.</param>
    /// <param name="ct">Cancels the wait; the append may still happen.</param>
    /// <returns>The new length.</returns>
    /// <exception cref="AppendConflictException">The object has another length.</exception>
    Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default);

    /// <summary>
    /// Takes a torn tail off. Where appends are atomic (Azure) no tail can be torn, so there a call that would remove bytes
    /// throws <see cref="NotSupportedException"/> and any other is a check of the length.
    /// </summary>
    /// <param name="name">The object's name.</param>
    /// <param name="observedLength">The length when the tail was found torn, in bytes.</param>
    /// <param name="length">The length to cut to, in bytes.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <exception cref="AppendConflictException">Somebody appended or cut since: read the tail again.</exception>
    Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default);

    /// <summary>Reads bytes from an offset, as many as there are and the buffer takes.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="offset">Where to start, in bytes.</param>
    /// <param name="buffer">Filled from its start.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>How many bytes were read; 0 past the end and for an absent object.</returns>
    Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default);

    /// <summary>Says how long an object is; null when there is none.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="ct">Cancels the wait.</param>
    Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default);

    /// <summary>Lists the objects whose names start with a prefix, in ordinal order of their names.</summary>
    /// <param name="prefix">The start of the names; empty for all.</param>
    /// <param name="ct">Cancels the listing.</param>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken ct = default);

    /// <summary>Removes an object; nothing happens when it is already gone.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="ct">Cancels the wait.</param>
    Task DeleteAsync(string name, CancellationToken ct = default);
}

/// <summary>A whole object with the tag to swap it by.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="ETag">Names this content in <see cref="PutCondition.IfMatch"/>; opaque.</param>
public sealed record StoredObject(byte[] Content, string ETag);

/// <summary>An object without its content.</summary>
/// <param name="Name">The object's name.</param>
/// <param name="Length">Its length, in bytes.</param>
/// <param name="LastModified">When it was last written, by the store's clock.</param>
/// <param name="Appends">How many appends made it, where the store counts and limits them; null elsewhere and in listings.</param>
public sealed record ObjectInfo(string Name, long Length, DateTimeOffset LastModified, int? Appends = null);

/// <summary>What must hold for a put to happen.</summary>
public readonly record struct PutCondition
{
    private PutCondition(bool mustBeAbsent, string? etag)
    {
        MustBeAbsent = mustBeAbsent;
        ETag = etag;
    }

    /// <summary>Writes whatever is there; also the default value.</summary>
    public static PutCondition Always => default;

    /// <summary>Writes only when there is no such object.</summary>
    public static PutCondition IfAbsent => new(mustBeAbsent: true, etag: null);

    /// <summary>Whether the object must not exist.</summary>
    public bool MustBeAbsent { get; }

    /// <summary>The tag that the present content must have; null when any will do.</summary>
    public string? ETag { get; }

    /// <summary>Writes only over the content with this tag.</summary>
    /// <param name="etag">From a get or a put of the same object.</param>
    public static PutCondition IfMatch(string etag)
    {
        ArgumentException.ThrowIfNullOrEmpty(etag);
        return new(mustBeAbsent: false, etag);
    }
}
