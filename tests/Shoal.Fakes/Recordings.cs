using System.Buffers.Binary;

namespace Shoal.Fakes;

/// <summary>Makes recordings to send: WAV of 16-bit integers, one channel.</summary>
public static class Recordings
{
    /// <summary>A recording of tones, one after another.</summary>
    /// <param name="rate">Values a second.</param>
    /// <param name="tones">Of each its frequency in hertz, 0 for silence, and how many seconds it lasts.</param>
    public static byte[] Tones(int rate, params (double Hertz, double Seconds)[] tones) =>
        Wav(rate, [.. tones.SelectMany(tone => Enumerable.Range(0, (int)(tone.Seconds * rate)).Select(i => tone.Hertz > 0 ? 0.5 * Math.Sin(2 * Math.PI * tone.Hertz * i / rate) : 0))]);

    /// <summary>A recording of given values.</summary>
    /// <param name="rate">Values a second.</param>
    /// <param name="values">The values, full scale -1 to 1.</param>
    public static byte[] Wav(int rate, IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var wav = new byte[44 + (2 * values.Count)];
        "RIFF"u8.CopyTo(wav);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(4), wav.Length - 8);
        "WAVEfmt "u8.CopyTo(wav.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(28), 2 * rate);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(34), 16);
        "data"u8.CopyTo(wav.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(40), 2 * values.Count);
        for (var i = 0; i < values.Count; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(44 + (2 * i)), (short)Math.Round(values[i] * short.MaxValue));
        }

        return wav;
    }
}
