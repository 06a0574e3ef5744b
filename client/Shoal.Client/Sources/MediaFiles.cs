using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Client;

/// <summary>Knows the files of one modality by their extensions, and reads one as an item.</summary>
internal sealed class MediaFiles
{
    private const long MiB = 1L << 20;

    /// <summary>Pictures. A file over 64 MiB is not read at all: no dataset takes such an item.</summary>
    public static readonly MediaFiles Images = new("PNG, JPEG, WebP, BMP or GIF", MediaTypes.AnyImage, 64 * MiB, static path => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".PNG" => "image/png",
        ".JPG" or ".JPEG" => "image/jpeg",
        ".WEBP" => "image/webp",
        ".BMP" => "image/bmp",
        ".GIF" => "image/gif",
        _ => null,
    });

    /// <summary>Recordings. A file over 1 GiB is not read: two and a half hours of a compact disc.</summary>
    public static readonly MediaFiles Sounds = new("WAV, FLAC, OGG, Opus, MP3 or M4A", MediaTypes.AnySound, 1_024 * MiB, SoundTypes.OfFile);

    private readonly Func<string, string?> _typeOf;
    private readonly string _anyType;

    private MediaFiles(string known, string anyType, long largest, Func<string, string?> typeOf) =>
        (Known, _anyType, Largest, _typeOf) = (known, anyType, largest, typeOf);

    /// <summary>The formats that are taken, in words.</summary>
    public string Known { get; }

    /// <summary>The most bytes of a file that is read.</summary>
    public long Largest { get; }

    /// <summary>The files that datasets of a modality take.</summary>
    /// <param name="modality">The modality.</param>
    public static MediaFiles Of(string modality) => modality is DatasetSettings.Sound ? Sounds : Images;

    /// <summary>Whether a file has one of the extensions.</summary>
    /// <param name="path">The file's path.</param>
    public bool Knows(string path) => _typeOf(path) is not null;

    /// <summary>The media type of a file by its extension; any of the modality where that tells nothing.</summary>
    /// <param name="path">The file's path.</param>
    public string TypeOf(string path) => _typeOf(path) ?? _anyType;

    /// <summary>Reads a file; what goes wrong becomes the item's problem.</summary>
    /// <param name="path">The file.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="label">What the source says the item is.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public async Task<SourceItem> ReadAsync(string path, string id, string? label, CancellationToken cancellationToken)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > Largest)
            {
                return SourceItem.Unreadable(id, $"The file is larger than {Largest:N0} bytes.", label);
            }

            byte[] bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            return new SourceItem(new ItemUpload { Id = id, MediaType = TypeOf(path), Bytes = bytes }, label);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return SourceItem.Unreadable(id, $"The file cannot be read: {failure.GetType().Name}.", label);
        }
    }
}
