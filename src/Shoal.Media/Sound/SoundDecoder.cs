using System.Buffers;
using System.Buffers.Binary;

namespace Shoal.Media.Sound;

/// <summary>
/// Turns windows of sound into a dataset's samples: log-mel spectrograms, uint8 [1, Mels, Frames], the highest band in the
/// first row; or waveforms, uint8 [1, 1, T]. Thread-safe; only scratch memory is kept between calls.
/// </summary>
/// <remarks>
/// Declared is <c>audio/x-raw</c> or any <c>audio/...</c>: WAV is told by its bytes. Channels are averaged and the rate is
/// converted; what is shorter than a window is followed by silence. The exact formula stands in docs/reference/sound.md.
/// </remarks>
public sealed class SoundDecoder : ISampleDecoder
{
    private readonly SoundFormatOptions _options;
    private readonly ISoundForm _form;

    /// <summary>Makes a decoder into log-mel spectrograms. It computes tables: keep it for a dataset's next items.</summary>
    /// <param name="options">The canonical form and the bounds.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public SoundDecoder(SoundFormatOptions options)
        : this(options, static valid => new LogMel(valid))
    {
    }

    private SoundDecoder(SoundFormatOptions options, Func<SoundFormatOptions, ISoundForm> form)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validated(nameof(options));
        _form = form(_options);
    }

    /// <inheritdoc/>
    public int SampleBytes => _form.SampleBytes;

    // Rounding of another rate's last value must not refuse a window that is exactly long enough.
    private int MostValues => _options.WindowLength + 1;

    /// <summary>Makes a decoder into waveforms, uint8 [1, 1, T], T being <see cref="SoundFormatOptions.WindowLength"/>; 128 is no pressure.</summary>
    /// <param name="options">The bounds, the rate and the window; bands and frames say nothing.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public static SoundDecoder OfWaveforms(SoundFormatOptions options) => new(options, static valid => new Waveform(valid));

    /// <inheritdoc/>
    public MediaProblem? Check(string mediaType, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        return TryOpen(mediaType, bytes, out _, out _, out var problem) ? null : problem;
    }

    /// <inheritdoc/>
    public bool TryDecode(string mediaType, ReadOnlySpan<byte> bytes, Span<byte> sample, out MediaProblem? problem)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        if (sample.Length != SampleBytes)
        {
            throw new ArgumentException($"The sample has {sample.Length} bytes; must be {SampleBytes} ({_form.Shape}).", nameof(sample));
        }

        if (!TryOpen(mediaType, bytes, out var header, out var length, out problem))
        {
            return false;
        }

        var buffer = ArrayPool<float>.Shared.Rent(length);
        try
        {
            var mono = buffer.AsSpan(0, length);
            problem = header is { } wav ? SoundReader.Read(wav, bytes, _options.SampleRate, mono) : ReadRaw(bytes, mono);
            if (problem is not null)
            {
                return false;
            }

            mono = mono[..Math.Min(length, _options.WindowLength)];
            if (Silence.Is(mono))
            {
                problem = new(MediaProblemCodes.Silent, "Nothing in the sound is above -60 dB of full scale; check the recorder's gain and cable.");
                return false;
            }

            _form.Compute(mono, sample);
            return true;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    private static MediaProblem? ReadRaw(ReadOnlySpan<byte> bytes, Span<float> mono)
    {
        for (var i = 0; i < mono.Length; i++)
        {
            mono[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) / 32_768f;
        }

        return null;
    }

    // How many values there are at the dataset's rate, and the header where there is one.
    private bool TryOpen(string mediaType, ReadOnlySpan<byte> bytes, out WavHeader? header, out int length, out MediaProblem? problem)
    {
        (header, length) = (null, bytes.Length / 2);
        problem = Bounds(mediaType, bytes);
        if (problem is not null)
        {
            return false;
        }

        if (!SoundTypes.IsRaw(mediaType))
        {
            if (!WavHeader.TryRead(bytes, out var wav, out problem))
            {
                return false;
            }

            // By seconds first: no rate makes the number of values overflow then.
            header = wav;
            length = wav.Seconds > _options.WindowSeconds + 1 ? int.MaxValue : SoundResampler.LengthOf(wav.Length, wav.Rate, _options.SampleRate);
        }

        if (length > MostValues)
        {
            var seconds = header?.Seconds ?? length / (double)_options.SampleRate;
            problem = new(MediaProblemCodes.TooLong, $"The sound lasts {seconds:0.###} s; a sample of this dataset is a window of {_options.WindowSeconds:0.###} s. Recordings are cut into windows when they are ingested as recordings; or send the windows.");
            return false;
        }

        return true;
    }

    private MediaProblem? Bounds(string mediaType, ReadOnlySpan<byte> bytes)
    {
        if (!SoundTypes.IsSound(mediaType))
        {
            return new(MediaProblemCodes.UnsupportedType, $"'{mediaType}' is no sound type; this dataset takes sounds: declare {SoundTypes.Wav}, audio/* or {SoundTypes.Raw}.");
        }

        if (bytes.IsEmpty)
        {
            return new(MediaProblemCodes.Empty, "There are no bytes; send the sound's content.");
        }

        if (bytes.Length > _options.MaxBytes)
        {
            return new(MediaProblemCodes.TooLarge, $"The item has {bytes.Length:N0} bytes; this dataset takes at most {_options.MaxBytes:N0}. Send it at a lower rate, in one channel or as 16 bits.");
        }

        return SoundTypes.IsRaw(mediaType) && (bytes.Length & 1) == 1
            ? new(MediaProblemCodes.WrongLength, $"{SoundTypes.Raw} has {bytes.Length:N0} bytes; must be an even number: two for each value, {_options.SampleRate:N0} values a second.")
            : null;
    }
}
