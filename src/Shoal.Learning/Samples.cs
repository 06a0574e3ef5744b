namespace Shoal.Learning;

/// <summary>The shape that all samples of a dataset have.</summary>
/// <param name="Channels">1 for grey images, spectrograms and waveforms, 3 for colour.</param>
/// <param name="Height">Pixels from top to bottom, or bands; 1 for waveforms.</param>
/// <param name="Width">Pixels from left to right, frames, or values.</param>
public sealed record SampleShape(int Channels, int Height, int Width)
{
    /// <summary>Bytes of one sample: C * H * W.</summary>
    public int Size => Channels * Height * Width;

    /// <summary>Whether samples are values one after another, as of <see cref="SampleKind.Waveform"/>, and no pictures.</summary>
    public bool IsWaveform => (Channels, Height) is (1, 1);

    /// <inheritdoc/>
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

/// <summary>What the samples of a dataset are: which changes leave them what they are, and what can be asked about them.</summary>
public enum SampleKind
{
    /// <summary>Pixels.</summary>
    Image,

    /// <summary>
    /// Log-mel spectrograms, [1, mels, frames]: row 0 is the highest band, columns are time, and 40 dB are 0 to 255, where 255 is the loudest cell.
    /// </summary>
    Sound,

    /// <summary>
    /// The values of a window of sound, [1, 1, T]: 128 is no pressure, 1 and 255 the loudest value, and between them loudness is companded by the mu-law, y = sign(x) ln(1 + 255 |x|) / ln 256.
    /// </summary>
    Waveform,
}

/// <summary>Where a sample lives in its dataset.</summary>
/// <param name="Shard">The shard's number, 0 to 65,535.</param>
/// <param name="Sequence">Its dense number in the shard's log, below 2^48.</param>
public readonly record struct SampleKey(int Shard, long Sequence)
{
    private const int SequenceBits = 48;
    private const long SequenceMask = (1L << SequenceBits) - 1;

    /// <summary>Both in one number for storage: shard in the upper 16 bits, sequence in the lower 48.</summary>
    public long Packed => ((long)Shard << SequenceBits) | (Sequence & SequenceMask);

    /// <summary>The reverse of <see cref="Packed"/>.</summary>
    /// <param name="packed">A packed key.</param>
    public static SampleKey Unpack(long packed) => new((int)((ulong)packed >> SequenceBits), packed & SequenceMask);
}

/// <summary>Decoded samples on their way into the learner.</summary>
public sealed class SampleBatch
{
    /// <summary>Wraps pixels and keys; copies nothing.</summary>
    /// <param name="shape">The shape of every sample.</param>
    /// <param name="pixels">uint8, [N, C, H, W], row-major.</param>
    /// <param name="keys">One for each sample.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public SampleBatch(SampleShape shape, byte[] pixels, SampleKey[] keys)
    {
        if (pixels.Length != (long)keys.Length * shape.Size)
        {
            throw new ArgumentException(
                $"{pixels.Length} pixels do not make {keys.Length} samples of {shape} ({shape.Size} bytes each).", nameof(pixels));
        }

        Shape = shape;
        Pixels = pixels;
        Keys = keys;
    }

    /// <summary>The shape of every sample.</summary>
    public SampleShape Shape { get; }

    /// <summary>uint8, [N, C, H, W], row-major.</summary>
    public byte[] Pixels { get; }

    /// <summary>One key for each sample.</summary>
    public SampleKey[] Keys { get; }

    /// <summary>How many samples.</summary>
    public int Count => Keys.Length;

    /// <summary>One sample's pixels.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <returns>uint8, [C, H, W].</returns>
    public ReadOnlySpan<byte> this[int index] => Pixels.AsSpan(index * Shape.Size, Shape.Size);
}
