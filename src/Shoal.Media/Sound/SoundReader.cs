using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Shoal.Media.Sound;

/// <summary>Reads WAV of any rate and channel count: integers of 8 to 32 bits, floats of 32 and 64, WAVE_FORMAT_EXTENSIBLE, streams without lengths.</summary>
public static class SoundReader
{
    // Full scale of 32-bit integers that were written as floats; what is larger is no sound, and its power might overflow.
    private const float Largest = int.MaxValue;

    /// <summary>Whether bytes begin like a WAV.</summary>
    /// <param name="bytes">Some bytes.</param>
    public static bool IsWav(ReadOnlySpan<byte> bytes) => WavHeader.IsWav(bytes);

    /// <summary>Values a second that a WAV has; null when it cannot be read.</summary>
    /// <param name="bytes">A WAV file.</param>
    public static int? RateOf(ReadOnlySpan<byte> bytes) => WavHeader.TryRead(bytes, out var header, out _) ? header.Rate : null;

    /// <summary>Looks at the header, in microseconds.</summary>
    /// <param name="bytes">A WAV file.</param>
    /// <param name="maxSeconds">How long it may last.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public static MediaProblem? Check(ReadOnlySpan<byte> bytes, double maxSeconds) => WavHeader.TryRead(bytes, out var header, out var problem) ? TooLong(header, maxSeconds) : problem;

    /// <summary>Reads a whole file as one channel, the mean of all, at another rate.</summary>
    /// <param name="bytes">A WAV file.</param>
    /// <param name="rate">Values a second, 4,000 to 48,000.</param>
    /// <param name="maxSeconds">How long it may last. No header makes more be allocated than these seconds and its own bytes ask for.</param>
    /// <param name="mono">Full scale is -1 to 1; float files may exceed it. Its length is that of the sound x <paramref name="rate"/>, rounded up.</param>
    /// <param name="problem">What is wrong; null on success.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rate"/> is out of range, or no array holds so many seconds.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int rate, double maxSeconds, [NotNullWhen(true)] out float[]? mono, out MediaProblem? problem)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 4_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, 48_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxSeconds * rate, Array.MaxLength, nameof(maxSeconds));
        mono = null;
        if (!WavHeader.TryRead(bytes, out var header, out problem))
        {
            return false;
        }

        problem = TooLong(header, maxSeconds);
        if (problem is not null)
        {
            return false;
        }

        var result = new float[SoundResampler.LengthOf(header.Length, header.Rate, rate)];
        problem = Read(header, bytes, rate, result);
        mono = problem is null ? result : null;
        return mono is not null;
    }

    /// <summary>Reads a file whose header is known.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="bytes">The file.</param>
    /// <param name="rate">Values a second.</param>
    /// <param name="mono">Where they go; <see cref="SoundResampler.LengthOf"/> long.</param>
    /// <returns>What is wrong; null on success.</returns>
    internal static MediaProblem? Read(in WavHeader header, ReadOnlySpan<byte> bytes, int rate, Span<float> mono)
    {
        if (header.Rate == rate)
        {
            return Mix(header, bytes, mono);
        }

        var source = ArrayPool<float>.Shared.Rent(header.Length);
        try
        {
            var values = source.AsSpan(0, header.Length);
            var problem = Mix(header, bytes, values);
            if (problem is null)
            {
                SoundResampler.For(header.Rate, rate).Resample(values, mono);
            }

            return problem;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(source);
        }
    }

    private static MediaProblem? TooLong(in WavHeader header, double maxSeconds) => header.Seconds <= maxSeconds
        ? null
        : new(MediaProblemCodes.TooLong, $"The sound lasts {header.Seconds:0.###} s; at most {maxSeconds:0.###} are read at once. Send it in parts.");

    private static MediaProblem? Mix(in WavHeader header, ReadOnlySpan<byte> bytes, Span<float> mono)
    {
        var (width, channels) = (header.Width, header.Channels);
        var at = header.Offset;
        for (var i = 0; i < mono.Length; i++)
        {
            var sum = 0.0;
            for (var channel = 0; channel < channels; channel++, at += width)
            {
                sum += Value(bytes[at..], width, header.IsFloat);
            }

            var mean = (float)(sum / channels);
            if (!(Math.Abs(mean) <= Largest))
            {
                return new(MediaProblemCodes.Undecodable, "The WAV has values that are no numbers or far beyond full scale; check that a player opens the file, and send it again.");
            }

            mono[i] = mean;
        }

        return null;
    }

    private static double Value(ReadOnlySpan<byte> bytes, int width, bool isFloat) => (width, isFloat) switch
    {
        (1, _) => (bytes[0] - 128) / 128.0,
        (2, _) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32_768.0,
        (3, _) => ((sbyte)bytes[2] << 16 | bytes[1] << 8 | bytes[0]) / 8_388_608.0,
        (4, false) => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2_147_483_648.0,
        (4, true) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        _ => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
    };
}
