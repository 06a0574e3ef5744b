using System.Buffers.Binary;

namespace Shoal.Media;

/// <summary>Tells what bytes are: by the declared type whether they are an image at all, by their first bytes which one.</summary>
internal static class ImageTypes
{
    /// <summary>Bare uint8 pixels, [Height, Width, Channels] interleaved, of exactly the dataset's size.</summary>
    public const string RawImage = "image/x-raw";

    private static ReadOnlySpan<byte> StartOfScan => [0xFF, 0xDA];

    private static ReadOnlySpan<byte> EndOfImage => [0xFF, 0xD9];

    /// <summary>Whether a declared type is bare pixels.</summary>
    /// <param name="mediaType">A media type; parameters after ';' are not looked at.</param>
    public static bool IsRaw(string mediaType) => MediaTypes.Essence(mediaType).Equals(RawImage, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a declared type is any image type, <c>image/*</c> included.</summary>
    /// <param name="mediaType">A media type; parameters after ';' are not looked at.</param>
    public static bool IsImage(string mediaType) => MediaTypes.Essence(mediaType).StartsWith("image/", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The format that the bytes begin like; null when it is none of the five that are read. Skia would try more: WBMP,
    /// whose magic is two zero bytes, so that arbitrary bytes pass for a picture, and camera raw, whose parser nobody fuzzes.
    /// </summary>
    /// <param name="bytes">The item's bytes.</param>
    internal static string? Sniff(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "PNG",
        [0xFF, 0xD8, 0xFF, ..] => "JPEG",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "WebP",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => "GIF",
        [(byte)'B', (byte)'M', ..] => "BMP",
        _ => null,
    };

    /// <summary>
    /// Whether a WebP is shorter than it says, or a JPEG's last scan has no end: libwebp and progressive decoding call a
    /// broken upload invalid rather than incomplete, and the producer should be told to send it again, not to repair it.
    /// </summary>
    /// <param name="bytes">The item's bytes, which were not decoded.</param>
    internal static bool EndsEarly(ReadOnlySpan<byte> bytes) => Sniff(bytes) switch
    {
        "WebP" => BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + 8L > bytes.Length,
        "JPEG" => bytes[Math.Max(0, bytes.LastIndexOf(StartOfScan))..].IndexOf(EndOfImage) < 0,
        _ => false,
    };
}
