using Shoal.Media.Sound;

namespace Shoal.Media;

/// <summary>Draws windows of sound for people to look at: time from left to right, high bands on top, the louder the lighter.</summary>
public static class Spectrograms
{
    // What the decoder makes at most, and more than an eye tells of half a second.
    private const int MostCells = 256;
    private const int FewestCells = 8;

    /// <summary>Draws a window as PNG.</summary>
    /// <param name="mediaType">The item's media type.</param>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="format">The dataset's rate and window; mel bands and frames are as many as the picture has pixels.</param>
    /// <param name="size">Width and height in pixels, 8 and more; above 256 the picture has 256.</param>
    /// <param name="problem">Why there is none; null on success.</param>
    /// <returns>A PNG; null when the item cannot be decoded, or is silent.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public static byte[]? OfWindow(string mediaType, ReadOnlySpan<byte> bytes, SoundFormatOptions format, int size, out MediaProblem? problem)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, FewestCells);
        var side = Math.Min(size, MostCells);
        if (LevelsOf(mediaType, bytes, format, side, out problem) is not { } levels)
        {
            return null;
        }

        var pixels = new byte[3 * levels.Length];
        LoudnessColours.Paint(levels, pixels);
        return Png.Encode(pixels, side, side, channels: 3);
    }

    /// <summary>The cells of such a picture.</summary>
    /// <param name="mediaType">The item's media type.</param>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="format">The dataset's rate and window.</param>
    /// <param name="side">Width and height in cells, 8 to 256.</param>
    /// <param name="problem">Why there are none; null on success.</param>
    /// <returns>uint8 [side, side], 255 the loudest; null when the item cannot be decoded, or is silent.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public static byte[]? LevelsOf(string mediaType, ReadOnlySpan<byte> bytes, SoundFormatOptions format, int side, out MediaProblem? problem)
    {
        ArgumentNullException.ThrowIfNull(format);
        var levels = new byte[side * side];
        return new SoundDecoder(format with { Mels = side, Frames = side }).TryDecode(mediaType, bytes, levels, out problem) ? levels : null;
    }

    /// <summary>The colour of a cell, sRGB.</summary>
    /// <param name="level">255 is the loudest.</param>
    public static (byte Red, byte Green, byte Blue) ColourOf(byte level) => LoudnessColours.Of(level);
}
