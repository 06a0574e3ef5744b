namespace Shoal.Media;

/// <summary>Makes PNGs for people to look at: of samples as the learner sees them, and of items as they were sent. Thread-safe.</summary>
public sealed class Thumbnails
{
    private readonly ImageFormatOptions _options;

    /// <summary>Makes thumbnails for one dataset.</summary>
    /// <param name="options">The canonical form and the bounds.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public Thumbnails(ImageFormatOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validated(nameof(options));
    }

    /// <summary>Encodes a sample as PNG, pixel for pixel.</summary>
    /// <param name="sample">uint8, [Channels, Height, Width].</param>
    /// <exception cref="ArgumentException"><paramref name="sample"/> has another length.</exception>
    public byte[] OfSample(ReadOnlySpan<byte> sample)
    {
        if (sample.Length != _options.SampleBytes)
        {
            throw new ArgumentException($"The sample has {sample.Length} bytes; must be {_options.SampleBytes} ({_options.Channels} x {_options.Height} x {_options.Width}).", nameof(sample));
        }

        return Png.Encode(sample, _options.Width, _options.Height, _options.Channels);
    }

    /// <summary>Shrinks an item's whole picture, uncropped; a smaller one keeps its size.</summary>
    /// <param name="mediaType">The item's media type.</param>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="longest">The longer side at most, in pixels, 1 to 4,096.</param>
    /// <param name="problem">Why there is none; null on success.</param>
    /// <returns>A PNG; null when the item cannot be decoded.</returns>
    public byte[]? OfOriginal(string mediaType, byte[] bytes, int longest, out MediaProblem? problem)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(longest, 4_096);
        if (ImageTypes.IsRaw(mediaType))
        {
            var raw = new byte[_options.SampleBytes];
            return new ImageDecoder(_options).TryDecode(mediaType, bytes, raw, out problem) ? OfSample(raw) : null;
        }

        if (PictureReader.Read(bytes, _options.MaxPixels, (width, height) => Layout.Within(width, height, longest), out problem) is not { } picture)
        {
            return null;
        }

        var sample = new byte[3 * picture.Width * picture.Height];
        picture.WriteTo(sample, channels: 3);
        return Png.Encode(sample, picture.Width, picture.Height, channels: 3);
    }
}
