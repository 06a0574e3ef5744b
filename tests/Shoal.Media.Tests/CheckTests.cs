using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class CheckTests
{
    private static readonly ImageDecoder Decoder = new(new() { Height = 8, Width = 8, Channels = 3, MaxBytes = 100_000, MaxPixels = 10_000 });

    [Fact]
    public void Good_images_of_every_format_pass_whatever_image_type_is_declared()
    {
        foreach (var bytes in Samples.All.Values)
        {
            foreach (var declared in new[] { "image/*", "image/png", "IMAGE/JPEG", "image/webp; q=1", " image/bmp " })
            {
                Assert.Null(Decoder.Check(declared, bytes));
            }
        }
    }

    [Fact]
    public void A_declared_type_that_is_no_image_is_refused_before_the_bytes_are_looked_at()
    {
        foreach (var declared in new[] { "text/plain", "application/octet-stream", "", "imagine/png", "image" })
        {
            Assert.Equal("unsupported-type", Decoder.Check(declared, Samples.All["png"])?.Code);
        }
    }

    [Theory]
    [InlineData("image/*")]
    [InlineData("image/x-raw")]
    public void No_bytes_are_refused_as_empty(string declared) => Assert.Equal("empty", Decoder.Check(declared, [])?.Code);

    [Theory]
    [InlineData("image/*")]
    [InlineData("image/x-raw")]
    public void More_bytes_than_allowed_are_refused_with_both_numbers(string declared)
    {
        var problem = Decoder.Check(declared, new byte[100_001]);
        Assert.Equal("too-large", problem?.Code);
        Assert.Equal("The item has 100,001 bytes; this dataset takes at most 100,000. Compress or shrink it before sending.", problem?.Message);
    }

    [Fact]
    public void Bare_pixels_of_another_length_are_refused_with_the_length_that_is_wanted()
    {
        Assert.Null(Decoder.Check("image/x-raw", new byte[192]));
        var problem = Decoder.Check("image/x-raw", new byte[191]);
        Assert.Equal("wrong-length", problem?.Code);
        Assert.Equal("image/x-raw has 191 bytes; must be 192: 8 rows x 8 columns x 3 channels, one byte each.", problem?.Message);
    }

    [Fact]
    public void Bytes_that_begin_like_no_format_are_refused_though_other_decoders_might_guess()
    {
        Assert.Equal("not-an-image", Decoder.Check("image/png", "<svg xmlns='x'/>"u8)?.Code);
        Assert.Equal("not-an-image", Decoder.Check("image/*", [0, 0, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8])?.Code); // a valid WBMP
        Assert.Equal("not-an-image", Decoder.Check("image/*", [0x89])?.Code);
    }

    [Fact]
    public void An_image_that_ends_within_its_header_is_refused_with_that_reason()
    {
        var problem = Decoder.Check("image/png", Samples.All["png"].AsSpan(0, 20));
        Assert.Equal("not-an-image", problem?.Code);
        Assert.StartsWith("The PNG ", problem?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_announces_ten_billion_pixels_is_refused_without_allocating_them()
    {
        var bomb = TestImages.Png(100_000, 100_000, depth: 8, colourType: 2, [new byte[30]]);
        var before = Environment.WorkingSet;
        var problem = Decoder.Check("image/png", bomb);
        Assert.Equal("too-many-pixels", problem?.Code);
        Assert.Equal("The PNG has 100,000 x 100,000 pixels; this dataset takes at most 10,000. Shrink it before sending, or create the dataset with a higher MaxPixels.", problem?.Message);
        Assert.False(Decoder.TryDecode("image/png", bomb, new byte[192], out problem));
        Assert.Equal("too-many-pixels", problem?.Code);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 64 << 20);
    }

    [Fact]
    public void Pixels_are_counted_and_not_sides()
    {
        Assert.Null(Decoder.Check("image/png", TestImages.Encode(100, 100, TestImages.Pattern, SKEncodedImageFormat.Png)));
        Assert.Equal("too-many-pixels", Decoder.Check("image/png", TestImages.Encode(73, 137, TestImages.Pattern, SKEncodedImageFormat.Png))?.Code);
    }

    [Fact]
    public void Options_out_of_range_are_all_named_in_one_message()
    {
        var error = Assert.Throws<ArgumentException>(() => new ImageDecoder(new() { Height = 0, Channels = 2, MaxPixels = 0 }));
        Assert.StartsWith("Image format: Height is 0; must be 1 to 4,096. Channels is 2; must be 1 or 3. MaxPixels is 0; must be 1 to 400,000,000.", error.Message, StringComparison.Ordinal);
    }
}

/// <summary>One small good image of every format.</summary>
internal static class Samples
{
    public static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>(StringComparer.Ordinal)
    {
        ["png"] = TestImages.Encode(13, 11, TestImages.Pattern, SKEncodedImageFormat.Png),
        ["jpeg"] = TestImages.Encode(24, 17, TestImages.Pattern, SKEncodedImageFormat.Jpeg, quality: 60),
        ["progressive"] = TestImages.ProgressiveJpeg,
        ["cmyk"] = TestImages.CmykJpeg,
        ["webp"] = TestImages.Encode(20, 19, TestImages.Pattern, SKEncodedImageFormat.Webp, quality: 60),
        ["lossless"] = TestImages.Encode(20, 19, TestImages.Pattern, SKEncodedImageFormat.Webp, quality: 100),
        ["bmp"] = TestImages.Bmp(9, 7, TestImages.Pattern),
        ["gif"] = TestImages.Gif(8, 6, [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9], [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 7 % 4))]),
    };
}
