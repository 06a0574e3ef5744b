using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using SkiaSharp;

namespace Shoal.Media.Tests;

/// <summary>Makes small images: by hand where every byte matters or Skia cannot write the format, by Skia otherwise.</summary>
internal static class TestImages
{
    /// <summary>A 16 x 16 progressive JPEG, written by ImageMagick; Skia only writes baseline ones.</summary>
    public static byte[] ProgressiveJpeg => Convert.FromBase64String("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wgARCAAQABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABAMF/8QAFQEBAQAAAAAAAAAAAAAAAAAAAQP/2gAMAwEAAhADEAAAAc9N1Rf/xAAWEAEBAQAAAAAAAAAAAAAAAAACAAH/2gAIAQEAAQUCwWCIiL//xAAVEQEBAAAAAAAAAAAAAAAAAAADAP/aAAgBAwEBPwEWv//EABYRAQEBAAAAAAAAAAAAAAAAAAEAEf/aAAgBAgEBPwEdv//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEABj8CH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAT8hFB//2gAMAwEAAgADAAAAEKP/xAAVEQEBAAAAAAAAAAAAAAAAAAAAEf/aAAgBAwEBPxCD/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxAf/8QAFxABAQEBAAAAAAAAAAAAAAAAAGEhMf/aAAgBAQABPxCSaDjj/9k=");

    /// <summary>The same picture as a CMYK JPEG.</summary>
    public static byte[] CmykJpeg => Convert.FromBase64String("/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAUDg8SDw0UEhASFxUUGB4yIR4cHB49LC4kMklATEtHQEZFUFpzYlBVbVZFRmSIZW13e4GCgU5gjZeMfZZzfoF8/9sAQwEVFxceGh47ISE7fFNGU3x8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8/8AAFAgAEAAQBAEiAAIRAQMRAQQiAP/EABcAAQADAAAAAAAAAAAAAAAAAAUABAb/xAAmEAAABQMBCQEAAAAAAAAAAAAAAQIDBAUSITERFSIyQVJhYnGx/8QAFQEBAQAAAAAAAAAAAAAAAAAAAgX/xAAaEQACAgMAAAAAAAAAAAAAAAABAgADBAUS/9oADgQBAAIRAxEEAAA/ADiqD0Jyy4zZ0Iu3x8CDNTvLmBctF20HJdUwvXh/BVvIEGfrk7LKIXFiqYWWMDVUroJuz1FmLFUwssYH/9k=");

    public static byte[] Encode(int width, int height, Func<int, int, SKColor> colour, SKEncodedImageFormat format, int quality = 100)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Pixels = [.. Enumerable.Range(0, width * height).Select(i => colour(i % width, i / width))];
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>A picture with structure in all channels.</summary>
    public static SKColor Pattern(int x, int y) => new((byte)(x * 37), (byte)(y * 53), (byte)((x * y) + 11));

    /// <summary>A PNG from scan lines as the standard stores them, without their filter bytes.</summary>
    public static byte[] Png(int width, int height, byte depth, byte colourType, byte[][] lines, byte[]? palette = null)
    {
        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = depth;
        header[9] = colourType;
        Chunk(png, "IHDR", header);
        if (palette is not null)
        {
            Chunk(png, "PLTE", palette);
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            foreach (var line in lines)
            {
                zlib.WriteByte(0);
                zlib.Write(line);
            }
        }

        Chunk(png, "IDAT", packed.ToArray());
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>A 24-bit BMP; rows are stored bottom up, as blue, green, red.</summary>
    public static byte[] Bmp(int width, int height, Func<int, int, SKColor> colour)
    {
        var stride = (width * 3 + 3) / 4 * 4;
        var bmp = new byte[54 + (stride * height)];
        bmp[0] = (byte)'B';
        bmp[1] = (byte)'M';
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(2), bmp.Length);
        bmp[10] = 54;
        bmp[14] = 40;
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(22), height);
        bmp[26] = 1;
        bmp[28] = 24;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = colour(x, y);
                var at = 54 + ((height - 1 - y) * stride) + (3 * x);
                (bmp[at], bmp[at + 1], bmp[at + 2]) = (pixel.Blue, pixel.Green, pixel.Red);
            }
        }

        return bmp;
    }

    /// <summary>A GIF of four colours, one frame for each list of colour numbers.</summary>
    public static byte[] Gif(byte width, byte height, byte[] palette, params byte[][] frames)
    {
        using var gif = new MemoryStream();
        gif.Write(Encoding.ASCII.GetBytes("GIF89a"));
        gif.Write([width, 0, height, 0, 0x81, 0, 0]); // a global palette of 4 colours
        gif.Write(palette);
        foreach (var frame in frames)
        {
            gif.Write([0x2C, 0, 0, 0, 0, width, 0, height, 0, 0, 2]);

            // LZW whose table is cleared (code 4) before every second pixel, so that codes stay 3 bits wide; 5 ends it.
            var bits = new List<bool>();
            for (var i = 0; i < frame.Length; i++)
            {
                if (i % 2 == 0)
                {
                    Code(4);
                }

                Code(frame[i]);
            }

            Code(5);
            var packed = new byte[(bits.Count + 7) / 8];
            for (var i = 0; i < bits.Count; i++)
            {
                packed[i / 8] |= (byte)((bits[i] ? 1 : 0) << (i % 8));
            }

            gif.WriteByte((byte)packed.Length);
            gif.Write(packed);
            gif.WriteByte(0);

            void Code(int code)
            {
                for (var bit = 0; bit < 3; bit++)
                {
                    bits.Add((code >> bit & 1) == 1);
                }
            }
        }

        gif.WriteByte(0x3B);
        return gif.ToArray();
    }

    /// <summary>Puts an EXIF block with nothing but an orientation behind a JPEG's first marker.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif =
        [
            0xFF, 0xE1, 0, 34, .. "Exif\0\0MM"u8, 0, 42, 0, 0, 0, 8,
            0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0,
            0, 0, 0, 0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    private static void Chunk(MemoryStream png, string type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. content];
        png.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32(body));
        png.Write(number);
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
