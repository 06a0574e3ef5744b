using SkiaSharp;

namespace Shoal.Media;

/// <summary>
/// Opens images with Skia's codecs and decodes them into <see cref="Picture"/>s. Opening reads the header only, in
/// microseconds and without allocating pixels, so there is no header parser of our own to keep in step with the decoder.
/// </summary>
internal static class PictureReader
{
    // Two threads of decoding are enough for cameras' 24 megapixels (100 MB each); larger ones take turns,
    // so that a burst of 100-megapixel scans costs seconds and not the process.
    private const long LargePixels = 32_000_000;
    private static readonly Lock LargeTurn = new();

    /// <summary>Reads the header.</summary>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="maxPixels">The most pixels that it may announce.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public static unsafe MediaProblem? Check(ReadOnlySpan<byte> bytes, long maxPixels)
    {
        fixed (byte* start = bytes)
        {
            using var data = SKData.Create((nint)start, bytes.Length);
            using var codec = Open(data, bytes, maxPixels, out var problem);
            return problem;
        }
    }

    /// <summary>Decodes, and scales to what is asked for.</summary>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="maxPixels">The most pixels that the header may announce.</param>
    /// <param name="layout">From the upright width and height to the upright target.</param>
    /// <param name="problem">What is wrong; null when nothing is.</param>
    public static unsafe Picture? Read(ReadOnlySpan<byte> bytes, long maxPixels, Func<int, int, Layout> layout, out MediaProblem? problem)
    {
        fixed (byte* start = bytes)
        {
            using var data = SKData.Create((nint)start, bytes.Length);
            using var codec = Open(data, bytes, maxPixels, out problem);
            if (codec is null)
            {
                return null;
            }

            var origin = codec.EncodedOrigin;
            var onItsSide = Picture.IsOnItsSide(origin);
            var upright = onItsSide ? layout(codec.Info.Height, codec.Info.Width) : layout(codec.Info.Width, codec.Info.Height);
            var stored = onItsSide ? upright.Turned() : upright;
            var size = DecodedSize(codec, stored);
            if ((long)size.Width * size.Height <= LargePixels)
            {
                return Decode(codec, bytes, size, stored, origin, out problem);
            }

            lock (LargeTurn)
            {
                return Decode(codec, bytes, size, stored, origin, out problem);
            }
        }
    }

    private static SKCodec? Open(SKData data, ReadOnlySpan<byte> bytes, long maxPixels, out MediaProblem? problem)
    {
        var format = ImageTypes.Sniff(bytes);
        if (format is null)
        {
            problem = new(MediaProblemCodes.NotAnImage, "The bytes are no PNG, JPEG, WebP, BMP or GIF; convert the image to one of these, or send bare pixels as image/x-raw.");
            return null;
        }

        // The codec owns the stream and closes it; creation from SKData alone does not say what was wrong.
        var codec = SKCodec.Create(new SKMemoryStream(data), out var result);
        if (codec is null)
        {
            problem = result is SKCodecResult.IncompleteInput
                ? new(MediaProblemCodes.NotAnImage, $"The {format} ends within its header; send the whole file.")
                : new(MediaProblemCodes.NotAnImage, $"The bytes begin like a {format} but its header cannot be read; check that an image viewer opens the file, and send it again.");
            return null;
        }

        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > maxPixels)
        {
            codec.Dispose();
            problem = new(MediaProblemCodes.TooManyPixels, $"The {format} has {width:N0} x {height:N0} pixels; this dataset takes at most {maxPixels:N0}. Shrink it before sending, or create the dataset with a higher MaxPixels.");
            return null;
        }

        problem = null;
        return codec;
    }

    // JPEG and WebP can be decoded at n/8 of their size, for a fraction of the time and memory; the smallest that still
    // covers the target is taken and averaged down from there. Other formats answer with their full size.
    private static SKSizeI DecodedSize(SKCodec codec, Layout layout)
    {
        for (var eighths = 1; eighths < 8; eighths++)
        {
            var size = codec.GetScaledDimensions(eighths / 8f);
            if (layout.IsCoveredBy(size.Width, size.Height))
            {
                return size;
            }
        }

        return codec.Info.Size;
    }

    private static unsafe Picture? Decode(SKCodec codec, ReadOnlySpan<byte> bytes, SKSizeI size, Layout layout, SKEncodedOrigin origin, out MediaProblem? problem)
    {
        // Premultiplied, so that the colour behind transparent pixels does not bleed into means; sRGB, so that wide-gamut photographs look as they should.
        using var space = SKColorSpace.CreateSrgb();
        var info = new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Premul, space);
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            throw new DecodeMemoryException($"No memory for {size.Width:N0} x {size.Height:N0} decoded pixels.");
        }

        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result is not SKCodecResult.Success)
        {
            // Skia leaves undecoded rows blank; a half blank picture would teach the learner blankness.
            problem = result is SKCodecResult.IncompleteInput || ImageTypes.EndsEarly(bytes)
                ? new(MediaProblemCodes.Truncated, "The image ends before its last pixel; send the whole file again.")
                : new(MediaProblemCodes.Undecodable, $"The image's pixels are corrupt ({result}); check that an image viewer opens the file, and send it again.");
            return null;
        }

        problem = null;
        var pixels = new ReadOnlySpan<byte>((void*)bitmap.GetPixels(), info.BytesSize);
        var (x, y) = layout.Axes(size.Width, size.Height);
        return new Picture(Resampler.Scale(pixels, size.Width, x, y), layout.Width, layout.Height, origin);
    }
}
