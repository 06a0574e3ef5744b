using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class ThumbnailTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_samples_png_decodes_to_the_same_sample(int channels)
    {
        var options = new ImageFormatOptions { Height = 5, Width = 7, Channels = channels };
        var sample = new byte[options.SampleBytes];
        new Random(7).NextBytes(sample);
        var again = new byte[sample.Length];
        Assert.True(new ImageDecoder(options).TryDecode("image/png", new Thumbnails(options).OfSample(sample), again, out _));
        Assert.Equal(sample, again);
    }

    [Fact]
    public void An_original_is_shrunk_uncropped_until_its_longer_side_fits()
    {
        var png = TestImages.Encode(200, 100, (x, _) => x < 100 ? SKColors.Red : SKColors.Blue, SKEncodedImageFormat.Png);
        using var thumbnail = SKBitmap.Decode(Thumbnail(png, 50));
        Assert.Equal((50, 25), (thumbnail.Width, thumbnail.Height));
        Assert.Equal(SKColors.Red, thumbnail.GetPixel(0, 0));
        Assert.Equal(SKColors.Blue, thumbnail.GetPixel(49, 24));
    }

    [Fact]
    public void A_turned_original_is_shown_upright()
    {
        var jpeg = TestImages.WithOrientation(TestImages.Encode(64, 32, TestImages.Pattern, SKEncodedImageFormat.Jpeg), 6);
        using var thumbnail = SKBitmap.Decode(Thumbnail(jpeg, 16));
        Assert.Equal((8, 16), (thumbnail.Width, thumbnail.Height));
    }

    [Fact]
    public void A_small_original_keeps_its_size_and_a_thin_one_keeps_a_pixel()
    {
        using var small = SKBitmap.Decode(Thumbnail(TestImages.Encode(3, 2, TestImages.Pattern, SKEncodedImageFormat.Png), 64));
        Assert.Equal((3, 2), (small.Width, small.Height));
        using var thin = SKBitmap.Decode(Thumbnail(TestImages.Encode(1_000, 1, TestImages.Pattern, SKEncodedImageFormat.Png), 10));
        Assert.Equal((10, 1), (thin.Width, thin.Height));
    }

    [Fact]
    public void Bare_pixels_become_a_png_too()
    {
        var thumbnails = new Thumbnails(new() { Height = 1, Width = 2, Channels = 3 });
        using var thumbnail = SKBitmap.Decode(thumbnails.OfOriginal("image/x-raw", [255, 0, 0, 0, 0, 255], 64, out _));
        Assert.Equal((SKColors.Red, SKColors.Blue), (thumbnail.GetPixel(0, 0), thumbnail.GetPixel(1, 0)));
    }

    [Fact]
    public void There_is_no_thumbnail_of_what_cannot_be_decoded()
    {
        var png = TestImages.Encode(64, 64, TestImages.Pattern, SKEncodedImageFormat.Png);
        Assert.Null(new Thumbnails(new()).OfOriginal("image/png", png[..(png.Length / 2)], 64, out var problem));
        Assert.Equal("truncated", problem?.Code);
    }

    private static byte[] Thumbnail(byte[] bytes, int longest)
    {
        var png = new Thumbnails(new()).OfOriginal("image/*", bytes, longest, out var problem);
        Assert.Null(problem);
        return png!;
    }
}
