using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Shoal.Storage;

/// <content>What the calls do on the I/O threads: locked writes, cutting back, syncing.</content>
public sealed partial class FileObjectStore
{
    private static string Tag(ReadOnlySpan<byte> content) => XxHash128.HashToUInt128(content).ToString("x32");

    private static ObjectInfo? Info(string name, FileInfo file) =>
        file.Exists ? new ObjectInfo(name, file.Length, new DateTimeOffset(file.LastWriteTimeUtc)) : null;

    private static int ReadFully(SafeFileHandle handle, long offset, Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    private static byte[]? ReadWhole(string path)
    {
        using SafeFileHandle? handle = NativeFiles.Open(path, create: false);
        if (handle is null)
        {
            return null;
        }

        byte[] content = new byte[RandomAccess.GetLength(handle)];
        int read = ReadFully(handle, 0, content);
        return read == content.Length ? content : content[..read];
    }

    private static void CheckCondition(string name, string path, PutCondition condition)
    {
        if (condition.MustBeAbsent && File.Exists(path))
        {
            throw new ObjectConflictException(name, "it exists already");
        }

        if (condition.ETag is { } wanted)
        {
            byte[]? present = ReadWhole(path);
            if (present is null || !string.Equals(Tag(present), wanted, StringComparison.Ordinal))
            {
                throw new ObjectConflictException(name, present is null ? "it does not exist" : "it has changed since it was read");
            }
        }
    }

    // Asking costs 3 µs, so it is done only once a part of what was free then has been used; others may fill the disk, too, so a small one.
    private void CheckHeadroom(int bytes)
    {
        const long Part = 4L << 20;
        if (_headroom == 0 || Interlocked.Add(ref _allowance, -bytes) >= 0)
        {
            return;
        }

        long spare = _disk.AvailableFreeSpace - _headroom - bytes;
        if (spare < 0)
        {
            Interlocked.Exchange(ref _allowance, 0);
            throw new IOException($"The disk of {_root} has less than {_headroom >> 20} MiB free, which are kept for checkpoints.");
        }

        Interlocked.Exchange(ref _allowance, Math.Min(spare, Part));
    }

    private void WriteOrCutBack(OpenFile file, ReadOnlySpan<byte> content, long offset)
    {
        try
        {
            RandomAccess.Write(file.Handle, content, offset);
            _trace?.Written(file.Path, offset, content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CutBack(file, offset, e);
            throw;
        }
    }

    // The lock is held, so nobody has appended behind the bytes that go.
    private void CutBack(OpenFile file, long length, Exception cause)
    {
        try
        {
            RandomAccess.SetLength(file.Handle, length);
            _trace?.Cut(file.Path, length);
        }
        catch (IOException)
        {
            throw Unavailable("append to", file.Path, cause, outcomeUnknown: true);
        }
    }

    private static StorageUnavailableException Unavailable(string what, string name, Exception cause, bool outcomeUnknown = false) =>
        new($"Cannot {what} '{name}': {cause.Message} Free space on the disk or give this user access to the folder, then retry.", cause, outcomeUnknown);

    private static T Guarded<T>(string what, string name, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable(what, name, e);
        }
    }

    private List<ObjectInfo> List(string folder, string prefix)
    {
        List<ObjectInfo> found = [];
        if (!Directory.Exists(folder))
        {
            return found;
        }

        EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        foreach (string path in Directory.EnumerateFiles(folder, "*", all))
        {
            string name = Path.GetRelativePath(_root, path).Replace('\\', '/');
            if (name.StartsWith(prefix, StringComparison.Ordinal) && ObjectNames.Problem(name) is null && Info(name, new FileInfo(path)) is { } info)
            {
                found.Add(info);
            }
        }

        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    private void WithLockedFile(string path, bool create, Action<OpenFile?> locked, Action<OpenFile?> afterwards)
    {
        if (create)
        {
            MakeFolder(Path.GetDirectoryName(path)!);
        }

        while (true)
        {
            bool isNew = _trace is not null && create && !File.Exists(path);
            OpenFile? file = _open.Take(path, create);
            if (isNew)
            {
                _trace!.Created(path);
            }

            if (file is null)
            {
                locked(null);
                afterwards(null);
                return;
            }

            try
            {
                if (TryLocked(file, () => locked(file)))
                {
                    // A sync takes milliseconds, so not under the lock: who appends next syncs our bytes with his own.
                    afterwards(file);
                    return;
                }
            }
            finally
            {
                _open.Return(file);
            }
        }
    }

    // False when the file lost its name while we waited: open it again.
    private static bool TryLocked(OpenFile file, Action action)
    {
        lock (file.Gate)
        {
            NativeFiles.Lock(file.Handle);
            try
            {
                if (!NativeFiles.IsLinked(file.Handle, file.Path))
                {
                    return false;
                }

                action();
                return true;
            }
            finally
            {
                NativeFiles.Unlock(file.Handle);
            }
        }
    }

    // After a failed sync the kernel may call the pages clean though they never reached the disk, and a second sync would
    // succeed for nothing. So the bytes are taken off again; a retry writes them anew.
    private void SyncOrCutBack(OpenFile file, long start, long end)
    {
        try
        {
            Sync(file.Handle, file.Path);
            if (!file.NameSynced)
            {
                SyncName(file.Path);
                file.NameSynced = true;
            }
        }
        catch (IOException e)
        {
            bool ours = false;
            _ = TryLocked(file, () =>
            {
                ours = RandomAccess.GetLength(file.Handle) == end;
                if (ours)
                {
                    CutBack(file, start, e);
                }
            });
            throw Unavailable("sync", file.Path, e, outcomeUnknown: !ours);
        }
    }

    private void Sync(SafeFileHandle handle, string path)
    {
        if (_sync)
        {
            NativeFiles.SyncData(handle);
            _trace?.Synced(path);
            Interlocked.Increment(ref _syncs);
        }
    }

    private void SyncFolder(string path)
    {
        NativeFiles.SyncDirectory(path);
        _trace?.FolderSynced(path);
    }

    private void MakeFolder(string path)
    {
        if (_trace is not null && !Directory.Exists(path))
        {
            // One by one, so that each is told of.
            MakeFolder(Path.GetDirectoryName(path)!);
            Directory.CreateDirectory(path);
            _trace.FolderCreated(path);
        }
        else
        {
            Directory.CreateDirectory(path);
        }
    }

    // The file's own name, and those of folders above it that this process has not yet seen made durable.
    private void SyncName(string path)
    {
        if (!_sync)
        {
            return;
        }

        string folder = Path.GetDirectoryName(path)!;
        SyncFolder(folder);
        while (folder.Length > _root.Length && !_durableFolders.ContainsKey(folder))
        {
            string above = Path.GetDirectoryName(folder)!;
            SyncFolder(above);
            _durableFolders[folder] = true;
            folder = above;
        }
    }
}
