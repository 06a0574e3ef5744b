using System.Security.Cryptography;

namespace Shoal.Storage;

/// <summary>An object as it was copied.</summary>
/// <param name="Name">Its name, without the place that it was copied from or to.</param>
/// <param name="Length">Its length, in bytes.</param>
/// <param name="Sha256">The SHA-256 of its bytes, in lower-case hexadecimal digits.</param>
/// <param name="Appended">Whether it is appended to, and not swapped whole.</param>
public sealed record ObjectCopy(string Name, long Length, string Sha256, bool Appended);

/// <summary>Copies objects from one store to another, with checksums.</summary>
public static class ObjectCopies
{
    // 4 MiB a read: a segment is a few dozen appends, far from Azure's 50,000 blocks.
    private const int Chunk = 4 * 1024 * 1024;

    /// <summary>Copies an object that is swapped whole.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="from">Its name there.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="to">Its name there; what has it is overwritten.</param>
    /// <param name="name">The name that the copy is known by.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>The copy; null when there is no such object.</returns>
    public static async Task<ObjectCopy?> CopyWholeAsync(IObjectStore source, string from, IObjectStore target, string to, string name, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        if (await source.GetAsync(from, ct) is not { } stored)
        {
            return null;
        }

        await target.PutAsync(to, stored.Content, PutCondition.Always, ct);
        return new ObjectCopy(name, stored.Content.Length, Convert.ToHexStringLower(SHA256.HashData(stored.Content)), Appended: false);
    }

    /// <summary>Copies the first bytes of an object that is appended to.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="from">Its name there.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="to">Its name there; what has it is removed first.</param>
    /// <param name="name">The name that the copy is known by.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>The copy; null when the object is shorter, or gone.</returns>
    public static async Task<ObjectCopy?> CopyAppendedAsync(IObjectStore source, string from, long length, IObjectStore target, string to, string name, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        await target.DeleteAsync(to, ct);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[(int)Math.Min(Chunk, Math.Max(1, length))];
        long done = 0;
        do
        {
            Memory<byte> part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - done));
            if (!await FillAsync(source, from, done, part, ct))
            {
                return null;
            }

            hash.AppendData(part.Span);
            done = await target.AppendAsync(to, done, part, ct);
        }
        while (done < length);

        return new ObjectCopy(name, length, Convert.ToHexStringLower(hash.GetHashAndReset()), Appended: true);
    }

    /// <summary>Whether an object has the bytes of a copy.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="at">Its name there.</param>
    /// <param name="copy">The copy.</param>
    /// <param name="ct">Stops it.</param>
    public static async Task<bool> IsWholeAsync(IObjectStore store, string at, ObjectCopy copy, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(copy);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[(int)Math.Min(Chunk, copy.Length + 1)];
        long length = 0;
        for (int read; (read = await store.ReadAsync(at, length, buffer, ct)) > 0; length += read)
        {
            hash.AppendData(buffer.AsSpan(0, read));
        }

        return length == copy.Length && string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), copy.Sha256, StringComparison.Ordinal);
    }

    private static async Task<bool> FillAsync(IObjectStore source, string name, long offset, Memory<byte> buffer, CancellationToken ct)
    {
        int have = 0;
        while (have < buffer.Length)
        {
            int read = await source.ReadAsync(name, offset + have, buffer[have..], ct);
            if (read == 0)
            {
                return false;
            }

            have += read;
        }

        return true;
    }
}
