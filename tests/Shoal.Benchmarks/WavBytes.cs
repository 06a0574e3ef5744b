using System.Buffers.Binary;

namespace Shoal.Benchmarks;

/// <summary>Sound as a WAV with the plain header of 44 bytes.</summary>
internal static class WavBytes
{
    /// <summary>Whole numbers.</summary>
    public const short Pcm = 1;

    /// <summary>Floating-point numbers.</summary>
    public const short Floats = 3;

    private const int Header = 44;

    /// <summary>Puts a header before values.</summary>
    /// <param name="format"><see cref="Pcm"/> or <see cref="Floats"/>.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="rate">Values a second and channel.</param>
    /// <param name="bits">Bits a value.</param>
    /// <param name="values">The values, little-endian, channels in turn.</param>
    public static byte[] Of(short format, int channels, int rate, int bits, byte[] values)
    {
        var step = channels * bits / 8;
        var wav = new byte[Header + values.Length];
        "RIFF"u8.CopyTo(wav);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(4), wav.Length - 8);
        "WAVEfmt "u8.CopyTo(wav.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(20), format);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(22), (short)channels);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(28), rate * step);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(32), (short)step);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(34), (short)bits);
        "data"u8.CopyTo(wav.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(40), values.Length);
        values.CopyTo(wav, Header);
        return wav;
    }
}
