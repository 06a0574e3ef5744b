using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Shoal.Storage;

/// <summary>Keeps objects as plain files under one folder of one host: the embedded default.</summary>
/// <remarks>
/// Appends compare and write under the file's exclusive lock (flock; LockFileEx on Windows), so several processes of the host may
/// share the folder; a network file system may not. Puts write a new file, sync it, rename it and sync the folder. The ETag is a
/// hash of the content (XXH128), so equal content has an equal tag. The folder <c>.shoal</c> in the root holds locks and unfinished puts.
/// </remarks>
public sealed partial class FileObjectStore : IObjectStore, IDisposable
{
    // A put holds its lock for a small read, a rename and a sync; 64 locks make waiting for an unrelated name rare.
    private const int PutLocks = 64;

    // An unfinished put this old belongs to a process that died.
    private static readonly TimeSpan AbandonedPut = TimeSpan.FromDays(1);

    private readonly string _root;
    private readonly string _locks;
    private readonly string _unfinished;
    private readonly bool _sync;
    private readonly long _headroom;
    private readonly IoThreads _writers;
    private readonly IoThreads _readers;
    private readonly OpenFiles _open;
    private readonly ConcurrentDictionary<string, bool> _durableFolders = new(StringComparer.Ordinal);
    private readonly IFileTrace? _trace;
    private readonly DriveInfo _disk;
    private long _syncs;

    // What may be appended before the disk is asked again how much is free.
    private long _allowance;

    /// <summary>Opens the folder, creating it when needed.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="options">Settings; the defaults when null.</param>
    /// <param name="time">Tells which unfinished puts are abandoned; the system's clock when null.</param>
    /// <exception cref="StorageUnavailableException">The folder cannot be created.</exception>
    public FileObjectStore(string root, FileObjectStoreOptions? options = null, TimeProvider? time = null)
        : this(root, options, time, trace: null)
    {
    }

    /// <summary>The same, with somebody who is told of what it does.</summary>
    internal FileObjectStore(string root, FileObjectStoreOptions? options, TimeProvider? time, IFileTrace? trace)
    {
        _trace = trace;
        ArgumentException.ThrowIfNullOrEmpty(root);
        options ??= new FileObjectStoreOptions();
        options.Validate();
        _root = Path.GetFullPath(root);
        _disk = new DriveInfo(_root);
        _locks = Path.Combine(_root, ".shoal", "locks");
        _unfinished = Path.Combine(_root, ".shoal", "puts");
        _sync = options.Fsync == FsyncPolicy.EveryWrite;
        _headroom = options.HeadroomBytes;
        Guarded("open", _root, () =>
        {
            Directory.CreateDirectory(_locks);
            Directory.CreateDirectory(_unfinished);
            DateTime before = ((time ?? TimeProvider.System).GetUtcNow() - AbandonedPut).UtcDateTime;
            foreach (string file in Directory.EnumerateFiles(_unfinished).Where(f => File.GetLastWriteTimeUtc(f) < before))
            {
                File.Delete(file);
            }

            return true;
        });
        _open = new OpenFiles(options.MaxOpenFiles);
        _writers = new IoThreads("shoal-write", options.WriteThreads);
        _readers = new IoThreads("shoal-read", options.ReadThreads);
    }

    /// <summary>How many file syncs have been made.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    /// <inheritdoc/>
    public Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => Read("read", name, path =>
    {
        byte[]? content = ReadWhole(path);
        return content is null ? null : new StoredObject(content, Tag(content));
    }, ct);

    /// <inheritdoc/>
    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default) =>
        Write("write", name, path =>
        {
            string unfinished = Path.Combine(_unfinished, Guid.NewGuid().ToString("N"));
            try
            {
                using (SafeFileHandle file = NativeFiles.Open(unfinished, create: true)!)
                {
                    _trace?.Created(unfinished);
                    RandomAccess.Write(file, content.Span, 0);
                    _trace?.Written(unfinished, 0, content.Span);
                    Sync(file, unfinished);
                }

                MakeFolder(Path.GetDirectoryName(path)!);
                uint stripe = (uint)XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(name)) % PutLocks;
                using SafeFileHandle guard = NativeFiles.Open(Path.Combine(_locks, stripe.ToString("D2")), create: true)!;
                NativeFiles.Lock(guard);
                try
                {
                    CheckCondition(name, path, condition);
                    File.Move(unfinished, path, overwrite: true);
                    _trace?.Moved(unfinished, path);
                }
                finally
                {
                    NativeFiles.Unlock(guard);
                }
            }
            catch
            {
                File.Delete(unfinished);
                throw;
            }

            _open.Forget(path);
            SyncName(path);
            return Tag(content.Span);
        }, ct);

    /// <inheritdoc/>
    public Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expectedLength);
        return Write("append to", name, path =>
        {
            CheckHeadroom(content.Length);
            long end = expectedLength + content.Length;
            WithLockedFile(path, create: expectedLength == 0, file =>
            {
                long length = file is null ? 0 : RandomAccess.GetLength(file.Handle);
                if (length != expectedLength || file is null)
                {
                    throw new AppendConflictException(name, expectedLength, length);
                }

                WriteOrCutBack(file, content.Span, expectedLength);
            }, afterwards: file => SyncOrCutBack(file!, expectedLength, end));
            return end;
        }, ct);
    }

    /// <inheritdoc/>
    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, observedLength);
        return Write("cut", name, path =>
        {
            WithLockedFile(path, create: false, file =>
            {
                long actual = file is null ? 0 : RandomAccess.GetLength(file.Handle);
                if (actual != observedLength)
                {
                    throw new AppendConflictException(name, observedLength, actual);
                }

                if (length < actual)
                {
                    RandomAccess.SetLength(file!.Handle, length);
                    _trace?.Cut(path, length);
                }
            }, afterwards: file =>
            {
                if (file is not null)
                {
                    Sync(file.Handle, path);
                }
            });
            return true;
        }, ct);
    }

    /// <inheritdoc/>
    public Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default) => Read("read", name, path =>
    {
        OpenFile? file = _open.Take(path, create: false);
        if (file is null)
        {
            return 0;
        }

        try
        {
            return ReadFully(file.Handle, offset, buffer.Span);
        }
        finally
        {
            _open.Return(file);
        }
    }, ct);

    /// <inheritdoc/>
    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) =>
        Read("look at", name, path => Info(name, new FileInfo(path)), ct);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        int slash = prefix.LastIndexOf('/');
        if (slash > 0)
        {
            ObjectNames.Check(prefix[..slash]);
        }

        string folder = slash > 0 ? Path.Combine(_root, prefix[..slash]) : _root;
        List<ObjectInfo> found = await _readers.Run(() => Guarded("list", prefix, () => List(folder, prefix)), ct);
        foreach (ObjectInfo info in found)
        {
            ct.ThrowIfCancellationRequested();
            yield return info;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken ct = default) => Write("delete", name, path =>
    {
        // Under the lock, so that no append lands in a file that has just lost its name.
        WithLockedFile(path, create: false, file =>
        {
            if (file is not null)
            {
                File.Delete(path);
                _trace?.Deleted(path);
                _open.Forget(path);
            }
        }, afterwards: file =>
        {
            if (_sync && file is not null)
            {
                SyncFolder(Path.GetDirectoryName(path)!);
            }
        });
        return true;
    }, ct);

    /// <summary>Ends the threads once they have done what was asked, and closes the files.</summary>
    public void Dispose()
    {
        _writers.Dispose();
        _readers.Dispose();
        _open.Dispose();
    }

    private Task<T> Write<T>(string what, string name, Func<string, T> call, CancellationToken ct) => On(_writers, what, name, call, ct);

    private Task<T> Read<T>(string what, string name, Func<string, T> call, CancellationToken ct) => On(_readers, what, name, call, ct);

    private Task<T> On<T>(IoThreads threads, string what, string name, Func<string, T> call, CancellationToken ct)
    {
        ObjectNames.Check(name);
        string path = Path.Combine(_root, name);
        return threads.Run(() => Guarded(what, name, () => call(path)), ct);
    }
}
