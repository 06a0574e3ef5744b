using SkiaSharp;

namespace Shoal.Media;

/// <summary>Encodes pixels as PNG.</summary>
internal static class Png
{
    /// <summary>Encodes planes of pixels.</summary>
    /// <param name="pixels">uint8, [channels, height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="channels">1 (grey) or 3 (red, green, blue).</param>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, channels == 1 ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        var plane = width * height;
        var target = bitmap.GetPixelSpan();
        if (channels == 1)
        {
            // Skia may pad rows.
            for (var y = 0; y < height; y++)
            {
                pixels.Slice(y * width, width).CopyTo(target[(y * bitmap.RowBytes)..]);
            }
        }
        else
        {
            for (var i = 0; i < plane; i++)
            {
                (target[4 * i], target[(4 * i) + 1], target[(4 * i) + 2], target[(4 * i) + 3]) = (pixels[i], pixels[plane + i], pixels[(2 * plane) + i], 255);
            }
        }

        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return encoded.ToArray();
    }
}
