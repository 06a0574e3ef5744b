using Microsoft.Win32.SafeHandles;

namespace Shoal.Storage;

/// <summary>A local file of fixed-width records behind a header, read and written by position and grown in chunks.</summary>
/// <remarks>
/// Not memory-mapped: a store to a mapped page on a full disk ends the process with SIGBUS. Space is reserved ahead, so that a full
/// disk throws where it can be handled. Nothing is synced unless it is asked for: a sidecar can be rebuilt.
/// </remarks>
internal sealed class SidecarFile : IDisposable
{
    // 1 MiB at a time: 16,384 index records; about one reservation a second at full ingest.
    private const long Chunk = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private long _reserved;

    internal SidecarFile(string path)
    {
        _path = path;
        _handle = Guarded("open", () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);

            // FileShare.None locks the file, between processes too: two writers of one sidecar would mix their records.
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        });
        _reserved = RandomAccess.GetLength(_handle);
    }

    internal long Length => _reserved;

    internal void Reserve(long length)
    {
        if (length > _reserved)
        {
            long wanted = (length + Chunk - 1) / Chunk * Chunk;
            Guarded("grow", () =>
            {
                NativeFiles.Preallocate(_handle, wanted, _path);
                return true;
            });
            _reserved = wanted;
        }
    }

    internal void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        Reserve(offset + bytes.Length);
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (IOException e)
        {
            throw Unavailable("write", e);
        }
    }

    /// <summary>Reads as far as the file goes; the rest of the buffer becomes zero.</summary>
    internal void Read(long offset, Span<byte> bytes)
    {
        try
        {
            int total = 0;
            while (total < bytes.Length)
            {
                int read = RandomAccess.Read(_handle, bytes[total..], offset + total);
                if (read == 0)
                {
                    break;
                }

                total += read;
            }

            bytes[total..].Clear();
        }
        catch (IOException e)
        {
            throw Unavailable("read", e);
        }
    }

    internal void Clear()
    {
        Guarded("clear", () =>
        {
            RandomAccess.SetLength(_handle, 0);
            return true;
        });
        _reserved = 0;
    }

    /// <summary>Returns when what was written is on disk.</summary>
    internal void Sync() => Guarded("sync", () =>
    {
        RandomAccess.FlushToDisk(_handle);
        return true;
    });

    public void Dispose() => _handle.Dispose();

    private T Guarded<T>(string what, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable(what, e);
        }
    }

    private StorageUnavailableException Unavailable(string what, Exception e) =>
        new($"Cannot {what} the sidecar {_path}: {e.Message} See that the disk has room and that nobody else has it open, then retry.", e);
}
