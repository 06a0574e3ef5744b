using System.Runtime.Intrinsics;
using SkiaSharp;

namespace Shoal.Media;

/// <summary>
/// A decoded, scaled picture as it is stored; <see cref="At"/> turns it upright and puts it on white.
/// White, because transparent pictures are drawn for pages and paper: dark ink on nothing would vanish on black.
/// </summary>
internal readonly struct Picture
{
    private readonly Vector128<float>[] _pixels;
    private readonly int _storedWidth;
    private readonly int _storedHeight;
    private readonly SKEncodedOrigin _origin;

    /// <summary>Wraps scaled pixels.</summary>
    /// <param name="pixels">Premultiplied RGBA, [storedHeight, storedWidth].</param>
    /// <param name="storedWidth">Width before it is turned.</param>
    /// <param name="storedHeight">Height before it is turned.</param>
    /// <param name="origin">EXIF orientation.</param>
    public Picture(Vector128<float>[] pixels, int storedWidth, int storedHeight, SKEncodedOrigin origin)
    {
        _pixels = pixels;
        _storedWidth = storedWidth;
        _storedHeight = storedHeight;
        _origin = origin;
    }

    /// <summary>Width as people see it.</summary>
    public int Width => IsOnItsSide(_origin) ? _storedHeight : _storedWidth;

    /// <summary>Height as people see it.</summary>
    public int Height => IsOnItsSide(_origin) ? _storedWidth : _storedHeight;

    /// <summary>Whether an orientation swaps width and height.</summary>
    /// <param name="origin">EXIF orientation; its values 5 to 8 do.</param>
    public static bool IsOnItsSide(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    /// <summary>Red, green and blue, 0 to 255, of a pixel as people see it.</summary>
    /// <param name="x">Column from the left.</param>
    /// <param name="y">Row from the top.</param>
    public Vector128<float> At(int x, int y)
    {
        var (right, bottom) = (_storedWidth - 1, _storedHeight - 1);
        var (column, row) = _origin switch
        {
            SKEncodedOrigin.TopRight => (right - x, y),
            SKEncodedOrigin.BottomRight => (right - x, bottom - y),
            SKEncodedOrigin.BottomLeft => (x, bottom - y),
            SKEncodedOrigin.LeftTop => (y, x),
            SKEncodedOrigin.RightTop => (y, bottom - x),
            SKEncodedOrigin.RightBottom => (right - y, bottom - x),
            SKEncodedOrigin.LeftBottom => (right - y, x),
            _ => (x, y),
        };
        var pixel = _pixels[(row * _storedWidth) + column];
        return pixel + Vector128.Create(255 - pixel.GetElement(3));
    }

    /// <summary>Writes it as a sample.</summary>
    /// <param name="sample">uint8, [channels, Height, Width].</param>
    /// <param name="channels">1 or 3.</param>
    public void WriteTo(Span<byte> sample, int channels)
    {
        var (width, height) = (Width, Height);
        var plane = width * height;
        for (int y = 0, i = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++, i++)
            {
                var pixel = At(x, y);
                var (red, green, blue) = (pixel.GetElement(0), pixel.GetElement(1), pixel.GetElement(2));
                if (channels == 1)
                {
                    // Luma of ITU-R BT.709, the primaries of sRGB, on the stored values.
                    sample[i] = ToByte((0.2126f * red) + (0.7152f * green) + (0.0722f * blue));
                }
                else
                {
                    sample[i] = ToByte(red);
                    sample[plane + i] = ToByte(green);
                    sample[(2 * plane) + i] = ToByte(blue);
                }
            }
        }
    }

    private static byte ToByte(float value) => (byte)Math.Clamp((int)(value + 0.5f), 0, 255);
}
