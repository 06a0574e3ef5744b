using System.Buffers.Binary;

namespace Shoal.Media.Sound;

/// <summary>
/// Where a WAV has its values and what they are. Only chunk headers are read and nothing is allocated, whatever lengths
/// they announce.
/// </summary>
/// <remarks>
/// A walk of our own, because NAudio.Core 3.3.0 takes a length of 0, as streams write it, for no sound, gives the whole
/// part of a truncated file without saying so, and throws exceptions of several types at damaged ones.
/// </remarks>
/// <param name="IsFloat">Whether values are IEEE 754 numbers, not integers.</param>
/// <param name="Width">Bytes of a value: 1 (unsigned), 2, 3 or 4 of PCM, 4 or 8 of float.</param>
/// <param name="Channels">Channels, 1 to 64; their values alternate.</param>
/// <param name="Rate">Values a second and channel, 1,000 to 1,000,000.</param>
/// <param name="Offset">Where the first value is, in bytes.</param>
/// <param name="Length">How many values a channel has; all of them are there.</param>
internal readonly record struct WavHeader(bool IsFloat, int Width, int Channels, int Rate, int Offset, int Length)
{
    // SoX writes lengths of just below 2 GiB into a pipe, arecord 2 GiB, ffmpeg 4 GiB - 1: no item is that long.
    public const uint Unknown = 0x7FFF_F000;

    /// <summary>The most bytes of a step: a value of each channel.</summary>
    public const int MostStep = 64 * 8;

    // Recorders write fewer than ten.
    private const int MostChunks = 1_000;

    /// <summary>How long it lasts.</summary>
    public double Seconds => Length / (double)Rate;

    // The last 14 bytes of the sub-format of WAVE_FORMAT_EXTENSIBLE; the first two are a format as in other headers.
    private static ReadOnlySpan<byte> SubFormat => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    /// <summary>Whether bytes begin like a WAV.</summary>
    /// <param name="bytes">The item's bytes.</param>
    public static bool IsWav(ReadOnlySpan<byte> bytes) => bytes.Length >= 12 && bytes[..4].SequenceEqual("RIFF"u8) && bytes.Slice(8, 4).SequenceEqual("WAVE"u8);

    /// <summary>Reads a header, in less than a microsecond for usual files.</summary>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="header">What was found.</param>
    /// <param name="problem">What is wrong; null on success.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out WavHeader header, out MediaProblem? problem)
    {
        header = default;
        if (!IsWav(bytes))
        {
            problem = new(MediaProblemCodes.NotASound, $"The bytes are no WAV, and only WAV and {SoundTypes.Raw} are stored. Other formats (FLAC, OGG, MP3, M4A) are converted on ingest by ffmpeg; or convert them yourself.");
            return false;
        }

        var whole = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + 8L;
        ReadOnlySpan<byte> format = default;
        var (data, length) = (-1, 0);
        for (int at = 12, chunks = 0; at + 8 <= bytes.Length && chunks < MostChunks && (data < 0 || format.IsEmpty); chunks++)
        {
            var name = bytes.Slice(at, 4);
            var announced = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
            at += 8;
            var left = bytes.Length - at;
            var isData = data < 0 && name.SequenceEqual("data"u8);

            // A length of 0 is meant only where the file's own length has been written as well.
            var isStream = isData && (announced >= Unknown || (announced == 0 && whole != bytes.Length));
            if (announced > left && !isStream)
            {
                problem = new(MediaProblemCodes.Truncated, isData
                    ? $"The WAV announces {announced:N0} bytes of sound and has {left:N0}; send the whole file again."
                    : "The WAV ends within its header; send the whole file again.");
                return false;
            }

            // Behind the sound of a stream nothing follows: a writer who could have added a chunk could have written the length.
            var take = isStream ? left : (int)announced;
            if (isData)
            {
                (data, length) = (at, take);
            }
            else if (format.IsEmpty && name.SequenceEqual("fmt "u8))
            {
                format = bytes.Slice(at, take);
            }

            // Chunks begin at even places, behind a byte of 0; writers who forget it go on at once with the next name.
            at += take;
            at += (take & 1) == 1 && at < bytes.Length && bytes[at] == 0 ? 1 : 0;
        }

        if (data < 0 || format.IsEmpty)
        {
            problem = whole > bytes.Length && whole < Unknown
                ? new(MediaProblemCodes.Truncated, "The WAV ends within its header; send the whole file again.")
                : new(MediaProblemCodes.NotASound, "The bytes begin like a WAV but have no format or no sound; check that a player opens the file, and send it again.");
            return false;
        }

        return TryParse(format, data, length, out header, out problem);
    }

    private static bool TryParse(ReadOnlySpan<byte> format, int data, int length, out WavHeader header, out MediaProblem? problem)
    {
        header = default;
        if (format.Length < 16)
        {
            problem = new(MediaProblemCodes.NotASound, $"The WAV's format has {format.Length} bytes; must be at least 16. Check that a player opens the file, and send it again.");
            return false;
        }

        var kind = BinaryPrimitives.ReadUInt16LittleEndian(format);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(format[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(format[4..]);
        int step = BinaryPrimitives.ReadUInt16LittleEndian(format[12..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(format[14..]);
        if (kind == 0xFFFE && format.Length >= 40 && format.Slice(26, 14).SequenceEqual(SubFormat))
        {
            kind = BinaryPrimitives.ReadUInt16LittleEndian(format[24..]);
        }

        // Values of 20 bits are stored as 24, the lowest ones empty.
        var width = (bits + 7) / 8;
        var isKnown = kind switch { 1 => width is >= 1 and <= 4, 3 => bits is 32 or 64, _ => false };
        if (!isKnown || channels is < 1 or > 64 || rate is < 1_000 or > 1_000_000 || step != channels * width)
        {
            problem = new(MediaProblemCodes.NotASound, $"The WAV has format 0x{kind:X4}, {bits} bits, {channels} channels, {rate:N0} Hz, {step} bytes a step; read are PCM of 8, 16, 24 and 32 bits and float of 32 and 64, 1 to 64 channels, 1,000 to 1,000,000 Hz. Convert it, for example with ffmpeg.");
            return false;
        }

        if (length < step)
        {
            problem = new(MediaProblemCodes.Empty, "The WAV has no sound behind its header; send the whole recording.");
            return false;
        }

        header = new(kind == 3, width, channels, (int)rate, data, length / step);
        problem = null;
        return true;
    }
}
