using System.Buffers.Binary;

namespace Shoal.Media.Tests.Sound;

/// <summary>Makes sounds by formula, and WAV files chunk by chunk.</summary>
internal static class TestSounds
{
    public const uint Unwritten = 0xFFFF_FFFF;

    private static readonly byte[] SubFormat = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    public static float[] Tone(double hertz, int rate, int length, double level = 0.5, double phase = 0.3) =>
        [.. Enumerable.Range(0, length).Select(i => (float)(level * Math.Sin((2 * Math.PI * hertz * i / rate) + phase)))];

    public static float[] Noise(int length, int seed, double level = 0.3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(level * ((2 * random.NextDouble()) - 1)))];
    }

    /// <summary>Root mean square.</summary>
    public static double Level(IEnumerable<float> values) => Math.Sqrt(values.Average(v => (double)v * v));

    public static double Decibels(double ratio) => 20 * Math.Log10(Math.Max(ratio, 1e-12));

    /// <summary>A file of one channel as 32-bit floats.</summary>
    public static byte[] Floats(float[] mono, int rate) => Wav(Format(3, 32, 1, rate), Encode(3, 32, mono));

    /// <summary>A whole file: a format chunk, then its values.</summary>
    public static byte[] Wav(byte[] format, byte[] data) => Riff(null, Chunk("fmt ", format), Chunk("data", data));

    /// <summary>RIFF and WAVE around chunks; with its true length where none is given.</summary>
    public static byte[] Riff(uint? announced, params byte[][] chunks)
    {
        byte[] body = [.. "WAVE"u8, .. chunks.SelectMany(c => c)];
        return [.. "RIFF"u8, .. Number(announced ?? (uint)body.Length), .. body];
    }

    /// <summary>A chunk with the length that is announced, and a byte of padding where it is odd.</summary>
    public static byte[] Chunk(string name, byte[] content, uint? announced = null, bool padded = true) =>
        [.. name.Select(c => (byte)c), .. Number(announced ?? (uint)content.Length), .. content, .. padded && content.Length % 2 == 1 ? new byte[1] : []];

    public static byte[] Format(int kind, int bits, int channels, int rate)
    {
        var step = channels * ((bits + 7) / 8);
        return [.. Short(kind), .. Short(channels), .. Number((uint)rate), .. Number((uint)(rate * step)), .. Short(step), .. Short(bits)];
    }

    /// <summary>WAVE_FORMAT_EXTENSIBLE around a kind.</summary>
    public static byte[] Extensible(int kind, int bits, int channels, int rate) =>
        [.. Format(0xFFFE, bits, channels, rate), .. Short(22), .. Short(bits), .. Number(0), .. Short(kind), .. SubFormat];

    /// <summary>Values as a kind of number (1: integers, 3: floats) stores them.</summary>
    public static byte[] Encode(int kind, int bits, IEnumerable<float> values) => [.. values.SelectMany(v => (kind, bits) switch
    {
        (1, 8) => [(byte)(Scaled(v, 128) + 128)],
        (1, 16) => Short(Scaled(v, 1 << 15)),
        (1, 24) => Number((uint)Scaled(v, 1 << 23))[..3],
        (1, 32) => Number((uint)Scaled(v, 1L << 31)),
        (3, 32) => BitConverter.GetBytes(v),
        (3, 64) => BitConverter.GetBytes((double)v),
        _ => throw new ArgumentOutOfRangeException(nameof(bits)),
    })];

    /// <summary>One good file of every kind, 40 values long, some with what recorders put around.</summary>
    public static IReadOnlyDictionary<string, byte[]> All { get; } = Variants(Noise(40, seed: 5));

    private static Dictionary<string, byte[]> Variants(float[] mono)
    {
        var stereo = mono.SelectMany(v => new[] { v, v }).ToArray();
        var format = Format(1, 16, 1, 16_000);
        var data = Encode(1, 16, mono);
        return new(StringComparer.Ordinal)
        {
            ["pcm8"] = Wav(Format(1, 8, 1, 16_000), Encode(1, 8, mono)),
            ["pcm16"] = Wav(format, data),
            ["pcm24"] = Wav(Format(1, 24, 1, 16_000), Encode(1, 24, mono)),
            ["pcm32"] = Wav(Format(1, 32, 1, 16_000), Encode(1, 32, mono)),
            ["float32"] = Wav(Format(3, 32, 1, 16_000), Encode(3, 32, mono)),
            ["float64"] = Wav(Format(3, 64, 1, 16_000), Encode(3, 64, mono)),
            ["stereo"] = Wav(Format(1, 16, 2, 16_000), Encode(1, 16, stereo)),
            ["extensible"] = Wav(Extensible(1, 24, 2, 16_000), Encode(1, 24, stereo)),
            ["extensible float"] = Wav(Extensible(3, 32, 1, 16_000), Encode(3, 32, mono)),
            ["format behind data"] = Riff(null, Chunk("data", data), Chunk("fmt ", format)),
            ["lists around"] = Riff(null, Chunk("LIST", [1, 2, 3]), Chunk("fmt ", format), Chunk("bext", new byte[9]), Chunk("data", data), Chunk("LIST", new byte[7])),
            ["unpadded list"] = Riff(null, Chunk("LIST", [1, 2, 3], padded: false), Chunk("fmt ", format), Chunk("data", data)),
            ["stream of ffmpeg"] = Riff(Unwritten, Chunk("fmt ", format), Chunk("LIST", new byte[26]), Chunk("data", data, Unwritten)),
            ["stream of sox"] = Riff(0x7FFF_F024, Chunk("fmt ", format), Chunk("data", data, 0x7FFF_F000)),
            ["stream without lengths"] = Riff(0, Chunk("fmt ", format), Chunk("data", data, 0)),
            ["recorder that was switched off"] = Riff(36, Chunk("fmt ", format), Chunk("data", data, 0)),
            ["half a step at the end"] = Riff(null, Chunk("fmt ", Format(1, 16, 2, 16_000)), Chunk("data", [.. Encode(1, 16, stereo), 1, 2, 3])),
        };
    }

    private static int Scaled(float value, long full) => (int)Math.Clamp(Math.Round((double)value * full), -full, full - 1);

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Short(int value) => [(byte)value, (byte)(value >> 8)];
}
