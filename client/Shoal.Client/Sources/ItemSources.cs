using System.IO.Compression;
using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>How a path is opened as a source.</summary>
public sealed record ItemSourceOptions
{
    /// <summary>Whether to go on with new files of a folder until cancelled.</summary>
    /// <value>Default false.</value>
    public bool Follow { get; init; }

    /// <summary>Which files are items, as in <see cref="DatasetSettings.Modality"/>.</summary>
    /// <value>Default images.</value>
    public string Modality { get; init; } = DatasetSettings.Image;

    /// <summary>The most items read; null reads all.</summary>
    /// <value>Default null.</value>
    public long? Limit { get; init; }

    /// <summary>How a folder is followed.</summary>
    public FollowOptions Following { get; init; } = new();
}

/// <summary>Decides by looking at a path which source reads it.</summary>
public static class ItemSources
{
    private static readonly string[] Archives = [".tar", ".tar.gz", ".tgz"];

    /// <summary>Opens a path: an IDX file, a CSV file, a tar archive, one image or recording, a folder of IDX files, or a folder of images or recordings.</summary>
    /// <param name="path">A file's or a folder's path.</param>
    /// <param name="options">How it is opened; null takes the defaults.</param>
    /// <exception cref="ShoalException">Invalid (nothing there, or nothing that can be read).</exception>
    public static IItemSource Open(string path, ItemSourceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        options ??= new ItemSourceOptions();
        IItemSource source = Directory.Exists(path) ? OpenFolder(path, options) : OpenFile(path, options);
        return options.Limit is { } limit ? new LimitedSource(source, limit) : source;
    }

    private static IItemSource OpenFolder(string path, ItemSourceOptions options)
    {
        if (options.Follow)
        {
            return new FollowSource(path, options.Following, options.Modality);
        }

        if (IdxSource.Open(path) is { } idx)
        {
            return idx;
        }

        var folder = new FolderSource(path, options.Modality);
        return folder.Count > 0
            ? folder
            : throw Invalid($"The folder '{path}' holds no {MediaFiles.Of(options.Modality).Known} files and no IDX files; use --follow to wait for some.");
    }

    private static IItemSource OpenFile(string path, ItemSourceOptions options)
    {
        if (!File.Exists(path))
        {
            throw Invalid($"There is no file or folder '{path}'.");
        }

        if (options.Follow)
        {
            throw Invalid($"Only a folder can be followed, and '{path}' is a file.");
        }

        if (IdxSource.LooksLikeImages(path))
        {
            return IdxSource.Open(path)!;
        }

        if (string.Equals(Path.GetExtension(path), ".csv", StringComparison.OrdinalIgnoreCase))
        {
            return new CsvSource(path, options.Modality);
        }

        var media = MediaFiles.Of(options.Modality);
        if (Array.Exists(Archives, end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase)))
        {
            return new ArchiveSource(path, options.Modality, media);
        }

        return media.Knows(path)
            ? new SingleFileSource(path, media)
            : throw Invalid($"'{path}' is no {media.Known} file, no .csv, no .tar, .tar.gz or .tgz, and no IDX images file (whose name holds 'idx3' or 'idx4').");
    }

    private static ShoalException Invalid(string message) => new(ShoalErrorKind.Invalid, message);

    private sealed class SingleFileSource(string path, MediaFiles media) : IItemSource
    {
        public long? Count => 1;

        public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            yield return await media.ReadAsync(path, Path.GetFileName(path), label: null, cancellationToken);
        }
    }

    /// <summary>The files of an archive that a folder source would read.</summary>
    private sealed class ArchiveSource(string path, string modality, MediaFiles media) : IItemSource
    {
        public long? Count => null;

        public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await using FileStream file = File.OpenRead(path);
            await using Stream archive = path.EndsWith(Archives[0], StringComparison.OrdinalIgnoreCase) ? file : new GZipStream(file, CompressionMode.Decompress);
            await foreach (SourceItem item in new TarSource(archive, modality, media.Largest).ReadAsync(cancellationToken))
            {
                if (media.Knows(item.Upload.Id) && !item.Upload.Id.Split('/').Any(part => part.StartsWith('.')))
                {
                    yield return item;
                }
            }
        }
    }

    private sealed class LimitedSource(IItemSource source, long limit) : IItemSource
    {
        public long? Count => source.Count is { } count ? Math.Min(count, limit) : null;

        public IAsyncEnumerable<SourceItem> ReadAsync(CancellationToken cancellationToken = default) =>
            source.ReadAsync(cancellationToken).Take(checked((int)Math.Min(limit, int.MaxValue)));
    }
}
