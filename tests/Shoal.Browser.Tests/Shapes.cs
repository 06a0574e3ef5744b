using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Shoal.Browser.Tests;

/// <summary>Draws pictures of four kinds, which the learner tells apart within seconds: rings, crosses, bars and chequers, each somewhere else and in its own shade.</summary>
internal static class Shapes
{
    private const int Size = 32;

    private static readonly string[] Names = ["ring", "cross", "bars", "chequers"];

    /// <summary>Writes pictures as PNG.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="ofEach">How many of each kind.</param>
    /// <returns>The files' paths.</returns>
    public static string[] Write(string folder, int ofEach)
    {
        var random = new Random(7);
        List<string> paths = [];
        for (int i = 0; i < ofEach; i++)
        {
            for (int kind = 0; kind < Names.Length; kind++)
            {
                string path = Path.Combine(folder, $"{Names[kind]}-{i:000}.png");
                File.WriteAllBytes(path, Png(Draw(kind, random)));
                paths.Add(path);
            }
        }

        return [.. paths];
    }

    // Pixels, [Size, Size, 3], uint8.
    private static byte[] Draw(int kind, Random random)
    {
        (double x, double y) = (15.5 + (4 * random.NextDouble()) - 2, 15.5 + (4 * random.NextDouble()) - 2);
        byte[][] ink = [[230, 90, 70], [80, 170, 240], [240, 200, 80], [120, 210, 130]];
        double shade = 0.8 + (0.2 * random.NextDouble());
        byte[] pixels = new byte[Size * Size * 3];
        for (int row = 0; row < Size; row++)
        {
            for (int column = 0; column < Size; column++)
            {
                (double dx, double dy) = (column - x, row - y);
                bool inked = kind switch
                {
                    0 => Math.Abs(Math.Sqrt((dx * dx) + (dy * dy)) - 9) < 2.5,
                    1 => (Math.Abs(dx) < 2.5 || Math.Abs(dy) < 2.5) && Math.Max(Math.Abs(dx), Math.Abs(dy)) < 12,
                    2 => (int)(dy + 32) % 8 < 3,
                    _ => ((int)(dx + 32) / 8 + ((int)(dy + 32) / 8)) % 2 == 0,
                };
                for (int channel = 0; channel < 3; channel++)
                {
                    pixels[(((row * Size) + column) * 3) + channel] = (byte)(inked ? ink[kind][channel] * shade : 24);
                }
            }
        }

        return pixels;
    }

    // PNG (W3C Recommendation, third edition): 8 bits a channel, no filter.
    private static byte[] Png(byte[] pixels)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Size);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Size);
        (header[8], header[9]) = (8, 2);
        Chunk(file, "IHDR", header);
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int row = 0; row < Size; row++)
            {
                zip.WriteByte(0);
                zip.Write(pixels, row * Size * 3, Size * 3);
            }
        }

        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, string kind, byte[] content)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(kind), .. content];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(named);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(named));
        file.Write(number);
    }

    // CRC-32 of ISO 3309, bit by bit.
    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 0 ? 0 : 0xedb88320);
            }
        }

        return ~crc;
    }
}
