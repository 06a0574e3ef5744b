using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Knows image files by their extensions, and reads one as an item.</summary>
internal static class MediaFiles
{
    /// <summary>The extensions that are taken.</summary>
    public const string Known = "PNG, JPEG, WebP, BMP or GIF";

    /// <summary>A file over this is not read at all: no dataset takes an item over 64 MiB.</summary>
    private const long LargestFile = 64L * 1024 * 1024;

    /// <summary>The media type of a file's extension; null when it is none of ours.</summary>
    /// <param name="path">The file's path.</param>
    public static string? TypeOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".PNG" => "image/png",
        ".JPG" or ".JPEG" => "image/jpeg",
        ".WEBP" => "image/webp",
        ".BMP" => "image/bmp",
        ".GIF" => "image/gif",
        _ => null,
    };

    /// <summary>Reads a file; what goes wrong becomes the item's problem.</summary>
    /// <param name="path">The file.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="label">What the source says the item is.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static async Task<SourceItem> ReadAsync(string path, string id, string? label, CancellationToken cancellationToken)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > LargestFile)
            {
                return SourceItem.Unreadable(id, $"The file is larger than {LargestFile:N0} bytes.", label);
            }

            byte[] bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            return new SourceItem(new ItemUpload { Id = id, MediaType = TypeOf(path) ?? MediaTypes.AnyImage, Bytes = bytes }, label);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return SourceItem.Unreadable(id, $"The file cannot be read: {failure.GetType().Name}.", label);
        }
    }
}
