using System.Buffers.Binary;

namespace Shoal.Media.Sound;

/// <summary>Writes WAV of 16-bit integers and one channel: the form that windows of recordings are stored in.</summary>
public static class WavWriter
{
    private const int HeaderBytes = 44;

    /// <summary>Writes a sound; what exceeds full scale is clipped.</summary>
    /// <param name="mono">Values, full scale -1 to 1.</param>
    /// <param name="rate">Values a second.</param>
    /// <exception cref="ArgumentException">There are more values than a file can hold.</exception>
    public static byte[] Write(ReadOnlySpan<float> mono, int rate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 1);
        if (mono.Length > (Array.MaxLength - HeaderBytes) / 2)
        {
            throw new ArgumentException($"There are {mono.Length:N0} values; a WAV has at most {(Array.MaxLength - HeaderBytes) / 2:N0}.", nameof(mono));
        }

        var wav = new byte[HeaderBytes + (2 * mono.Length)];
        "RIFF"u8.CopyTo(wav);
        Put32(4, wav.Length - 8);
        "WAVEfmt "u8.CopyTo(wav.AsSpan(8));
        Put32(16, 16);
        Put16(20, 1); // PCM
        Put16(22, 1); // one channel
        Put32(24, rate);
        Put32(28, 2 * rate); // bytes a second
        Put16(32, 2); // bytes a step
        Put16(34, 16); // bits a value
        "data"u8.CopyTo(wav.AsSpan(36));
        Put32(40, 2 * mono.Length);
        for (var i = 0; i < mono.Length; i++)
        {
            Put16(HeaderBytes + (2 * i), Stored(mono[i]));
        }

        return wav;

        void Put16(int at, short value) => BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(at), value);
        void Put32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(at), value);
    }

    /// <summary>What is stored of a value.</summary>
    /// <param name="value">Full scale is -1 to 1.</param>
    internal static short Stored(float value) => (short)Math.Clamp(MathF.Round(value * 32_768), short.MinValue, short.MaxValue);
}
