using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>How a folder is followed.</summary>
public sealed record FollowOptions
{
    /// <summary>How long a file's size and time must stand still before it is read, 0 to 1 minute.</summary>
    /// <value>Default 1 s: a writer that pauses longer between two writes is rare on a local disk.</value>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the whole folder is walked, 100 ms to 1 hour.</summary>
    /// <value>Default 10 s: the net below the watcher, whose events are lost on network drives and under floods.</value>
    public TimeSpan Rescan { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock.</summary>
    /// <value>Default the system's.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// Reads a folder's files of a modality and then every new one, until cancelled. Ids and labels are those of <see cref="FolderSource"/>.
/// A file that changes after it was read is read again; its item then is a conflict, since the id holds other bytes.
/// </summary>
public sealed class FollowSource : IItemSource
{
    private readonly string _folder;
    private readonly MediaFiles _media;
    private readonly FollowOptions _options;
    private readonly ConcurrentDictionary<string, byte> _touched = new(StringComparer.Ordinal);
    private volatile bool _rescan;

    /// <summary>Takes a folder.</summary>
    /// <param name="folder">The folder's path.</param>
    /// <param name="options">How it is followed; null takes the defaults.</param>
    /// <param name="modality">Which files are read, as in <see cref="DatasetSettings.Modality"/>.</param>
    /// <exception cref="ShoalException">Invalid (no such folder).</exception>
    public FollowSource(string folder, FollowOptions? options = null, string modality = DatasetSettings.Image)
    {
        if (!Directory.Exists(folder))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There is no folder '{folder}'.");
        }

        _folder = Path.GetFullPath(folder);
        _media = MediaFiles.Of(modality);
        _options = options ?? new FollowOptions();
    }

    /// <summary>Not known: it never ends.</summary>
    public long? Count => null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using FileSystemWatcher watcher = Watch();
        var read = new Dictionary<string, Stamp>(StringComparer.Ordinal);
        var settling = new Dictionary<string, (Stamp Stamp, long Since)>(StringComparer.Ordinal);
        _rescan = true;
        long scanned = _options.Time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_rescan || _options.Time.GetElapsedTime(scanned) >= _options.Rescan)
            {
                _rescan = false;
                scanned = _options.Time.GetTimestamp();
                foreach (string file in FolderSource.Files(_folder, _media).Order(StringComparer.Ordinal))
                {
                    Consider(file);
                }
            }

            foreach (string file in _touched.Keys)
            {
                _touched.TryRemove(file, out _);
                Consider(file);
            }

            foreach (string file in settling.Keys.Order(StringComparer.Ordinal).ToArray())
            {
                if (HasSettled(file))
                {
                    string id = FolderSource.IdOf(_folder, file);
                    yield return await _media.ReadAsync(file, id, FolderSource.LabelOf(id), cancellationToken);
                }
            }

            // A quarter of the settling time keeps the delay of a new file near it.
            TimeSpan pause = _options.Settle / 4 < TimeSpan.FromMilliseconds(10) ? TimeSpan.FromMilliseconds(10) : _options.Settle / 4;
            await Task.Delay(pause, _options.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        void Consider(string file)
        {
            if (Stamp.Of(file) is { } stamp && !(read.TryGetValue(file, out Stamp known) && known == stamp))
            {
                settling.TryAdd(file, (stamp, _options.Time.GetTimestamp()));
            }
        }

        bool HasSettled(string file)
        {
            if (Stamp.Of(file) is not { } now)
            {
                settling.Remove(file);
                return false;
            }

            (Stamp before, long since) = settling[file];
            if (now != before)
            {
                settling[file] = (now, _options.Time.GetTimestamp());
                return false;
            }

            // A file that was last written long ago need not be watched first.
            TimeSpan age = _options.Time.GetUtcNow() - new DateTimeOffset(now.WrittenUtc, TimeSpan.Zero);
            if (_options.Time.GetElapsedTime(since) < _options.Settle && age < _options.Settle)
            {
                return false;
            }

            settling.Remove(file);
            read[file] = now;
            return true;
        }
    }

    private FileSystemWatcher Watch()
    {
        var watcher = new FileSystemWatcher(_folder)
        {
            IncludeSubdirectories = true,
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.Size | NotifyFilters.LastWrite,
        };
        watcher.Created += (_, change) => Touch(change.FullPath);
        watcher.Changed += (_, change) => Touch(change.FullPath);
        watcher.Renamed += (_, change) => Touch(change.FullPath);
        watcher.Error += (_, _) => _rescan = true;
        watcher.EnableRaisingEvents = true;
        return watcher;

        void Touch(string path)
        {
            if (!_media.Knows(path))
            {
                // A folder moved in brings files that raise no event of their own.
                _rescan |= Directory.Exists(path);
            }
            else if (!IsHidden(path))
            {
                _touched.TryAdd(path, 0);
            }
        }
    }

    private bool IsHidden(string path) => FolderSource.IdOf(_folder, path).Split('/').Any(part => part.StartsWith('.'));

    private readonly record struct Stamp(long Length, DateTime WrittenUtc)
    {
        public static Stamp? Of(string path)
        {
            var file = new FileInfo(path);
            return file.Exists ? new Stamp(file.Length, file.LastWriteTimeUtc) : null;
        }
    }
}
