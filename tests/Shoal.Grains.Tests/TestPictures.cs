using SkiaSharp;

namespace Shoal.Grains.Tests;

/// <summary>Makes small PNG files.</summary>
internal static class TestPictures
{
    /// <summary>A pattern; another seed gives other bytes.</summary>
    public static byte[] Png(int width, int height, int seed = 0)
    {
        using var bitmap = new SKBitmap(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                bitmap.SetPixel(x, y, new SKColor((byte)((x + seed) * 7), (byte)(y * (5 + seed)), (byte)(x ^ y)));
            }
        }

        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
