namespace Shoal.Media;

/// <summary>
/// Turns images' bytes into a dataset's samples: uint8, [Channels, Height, Width]. Thread-safe; nothing is kept between calls.
/// </summary>
/// <remarks>
/// Declared is <c>image/x-raw</c> or any <c>image/...</c>: PNG, JPEG, WebP, BMP and GIF (its first frame) are told by their bytes. The picture is turned upright (EXIF), converted to
/// sRGB, put on white where it is transparent, scaled so that its shorter side fits, and cropped around its centre.
/// </remarks>
public sealed class ImageDecoder : ISampleDecoder
{
    private readonly ImageFormatOptions _options;

    /// <summary>Makes a decoder.</summary>
    /// <param name="options">The canonical form and the bounds.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public ImageDecoder(ImageFormatOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validated(nameof(options));
    }

    /// <inheritdoc/>
    public int SampleBytes => _options.SampleBytes;

    /// <inheritdoc/>
    public MediaProblem? Check(string mediaType, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        return Bounds(mediaType, bytes) ?? (ImageTypes.IsRaw(mediaType) ? null : PictureReader.Check(bytes, _options.MaxPixels));
    }

    /// <inheritdoc/>
    public bool TryDecode(string mediaType, ReadOnlySpan<byte> bytes, Span<byte> sample, out MediaProblem? problem)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        if (sample.Length != SampleBytes)
        {
            throw new ArgumentException($"The sample has {sample.Length} bytes; must be {SampleBytes} ({_options.Channels} x {_options.Height} x {_options.Width}).", nameof(sample));
        }

        problem = Bounds(mediaType, bytes);
        if (problem is not null)
        {
            return false;
        }

        if (ImageTypes.IsRaw(mediaType))
        {
            Deinterleave(bytes, sample, _options.Channels);
            return true;
        }

        var picture = PictureReader.Read(bytes, _options.MaxPixels, (_, _) => new Layout(_options.Width, _options.Height), out problem);
        picture?.WriteTo(sample, _options.Channels);
        return picture is not null;
    }

    private static void Deinterleave(ReadOnlySpan<byte> pixels, Span<byte> sample, int channels)
    {
        var plane = sample.Length / channels;
        for (var i = 0; i < pixels.Length; i++)
        {
            sample[(i % channels * plane) + (i / channels)] = pixels[i];
        }
    }

    private MediaProblem? Bounds(string mediaType, ReadOnlySpan<byte> bytes)
    {
        if (!ImageTypes.IsImage(mediaType))
        {
            return new(MediaProblemCodes.UnsupportedType, $"'{mediaType}' is no image type; this dataset takes images: declare image/png, image/jpeg, image/* or {ImageTypes.RawImage}.");
        }

        if (bytes.IsEmpty)
        {
            return new(MediaProblemCodes.Empty, "There are no bytes; send the image's content.");
        }

        if (bytes.Length > _options.MaxBytes)
        {
            return new(MediaProblemCodes.TooLarge, $"The item has {bytes.Length:N0} bytes; this dataset takes at most {_options.MaxBytes:N0}. Compress or shrink it before sending.");
        }

        return ImageTypes.IsRaw(mediaType) && bytes.Length != SampleBytes
            ? new(MediaProblemCodes.WrongLength, $"{ImageTypes.RawImage} has {bytes.Length:N0} bytes; must be {SampleBytes:N0}: {_options.Height} rows x {_options.Width} columns x {_options.Channels} channels, one byte each.")
            : null;
    }
}
