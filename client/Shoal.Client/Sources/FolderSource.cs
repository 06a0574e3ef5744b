using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Reads a folder of image files, or of recordings, and its subfolders. An item's id is its path below the folder with '/' between the parts; the first
/// subfolder, if any, is its label. Hidden files and folders are skipped; a file that cannot be read becomes a rejected item.
/// </summary>
public sealed class FolderSource : IItemSource
{
    private static readonly EnumerationOptions Walk = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
    };

    private readonly string _folder;
    private readonly MediaFiles _media;
    private readonly Lazy<string[]> _files;

    /// <summary>Takes a folder; it is walked when first read or counted.</summary>
    /// <param name="folder">The folder's path.</param>
    /// <param name="modality">Which files are read, as in <see cref="DatasetSettings.Modality"/>.</param>
    /// <exception cref="ShoalException">Invalid (no such folder).</exception>
    public FolderSource(string folder, string modality = DatasetSettings.Image)
    {
        if (!Directory.Exists(folder))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There is no folder '{folder}'.");
        }

        _folder = Path.GetFullPath(folder);
        _media = MediaFiles.Of(modality);
        _files = new Lazy<string[]>(() => [.. Files(_folder, _media).Order(StringComparer.Ordinal)]);
    }

    /// <inheritdoc/>
    public long? Count => _files.Value.Length;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (string file in _files.Value)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string id = IdOf(_folder, file);
            yield return await _media.ReadAsync(file, id, LabelOf(id), cancellationToken);
        }
    }

    /// <summary>All files of a modality below a folder, in no order.</summary>
    /// <param name="folder">The folder's full path.</param>
    /// <param name="media">The modality's files.</param>
    internal static IEnumerable<string> Files(string folder, MediaFiles media) => Directory.EnumerateFiles(folder, "*", Walk).Where(media.Knows);

    /// <summary>The id of a file's item: its path below the folder.</summary>
    /// <param name="folder">The folder's full path.</param>
    /// <param name="file">The file's full path.</param>
    internal static string IdOf(string folder, string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');

    /// <summary>The label of an item: the first part of its id when there are several.</summary>
    /// <param name="id">The item's id.</param>
    internal static string? LabelOf(string id)
    {
        int slash = id.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 ? id[..slash] : null;
    }
}
