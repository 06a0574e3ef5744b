using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class DecodeTests
{
    private static readonly SKColor Red = new(255, 0, 0);
    private static readonly SKColor Green = new(0, 255, 0);
    private static readonly SKColor Blue = new(0, 0, 255);
    private static readonly SKColor Grey = new(100, 100, 100);

    [Fact]
    public void Bare_pixels_are_taken_apart_into_planes()
    {
        var sample = Decode("image/x-raw", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2);
        Assert.Equal([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12], sample);
    }

    [Fact]
    public void Bare_grey_pixels_are_taken_as_they_are() =>
        Assert.Equal([9, 8, 7, 6, 5, 4], Decode("image/x-raw", [9, 8, 7, 6, 5, 4], 2, 3, channels: 1));

    [Fact]
    public void An_image_of_the_samples_size_keeps_every_pixel()
    {
        byte[] expected = [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12];
        byte[][] lines = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]];
        SKColor Colour(int x, int y) => new(lines[y][3 * x], lines[y][(3 * x) + 1], lines[y][(3 * x) + 2]);
        Assert.Equal(expected, Decode("image/*", TestImages.Png(2, 2, 8, 2, lines), 2, 2));
        Assert.Equal(expected, Decode("image/*", TestImages.Bmp(2, 2, Colour), 2, 2));
        Assert.Equal(expected, Decode("image/*", TestImages.Encode(2, 2, Colour, SKEncodedImageFormat.Webp), 2, 2));
    }

    [Fact]
    public void Grey_is_rec_709_luma_rounded_to_nearest()
    {
        // 255 * (0.2126, 0.7152, 0.0722) = 54.2, 182.4, 18.4; equal channels stay as they are.
        SKColor[] colours = [Red, Green, Blue, Grey];
        var png = TestImages.Encode(4, 1, (x, _) => colours[x], SKEncodedImageFormat.Png);
        Assert.Equal([54, 182, 18, 100], Decode("image/png", png, 1, 4, channels: 1));
    }

    [Fact]
    public void Shrinking_takes_the_mean_of_the_covered_area()
    {
        // Halves: (10+20+30+40)/4 = 25. Thirds of five pixels cover 5/3 each: (0*1 + 60*2/3)/(5/3) = 24, and so on.
        Assert.Equal([25], Decode("image/png", Greys([10, 20], [30, 40]), 1, 1, channels: 1));
        Assert.Equal([24, 120, 216, 24, 120, 216, 24, 120, 216], Decode("image/png", Greys(Repeat([0, 60, 120, 180, 240], 5)), 3, 3, channels: 1));
    }

    [Fact]
    public void A_wide_image_is_cropped_evenly_left_and_right() =>
        Assert.Equal([3, 4, 3, 4], Decode("image/png", Greys([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]), 2, 2, channels: 1));

    [Fact]
    public void A_tall_image_is_cropped_evenly_top_and_bottom_and_scaled_by_its_shorter_side() =>
        Assert.Equal([30], Decode("image/png", Greys([99, 99], [20, 40], [20, 40], [99, 99]), 1, 1, channels: 1));

    [Fact]
    public void A_small_image_is_blended_linearly()
    {
        // Centres of four output pixels lie at -0.25, 0.25, 0.75, 1.25 of two source pixels: 0, 25, 75, 100.
        byte[] row = [0, 25, 75, 100];
        Assert.Equal([.. row, .. row, .. row, .. row], Decode("image/png", Greys([0, 100], [0, 100]), 4, 4, channels: 1));
    }

    [Fact]
    public void Transparent_pixels_become_white_and_their_hidden_colour_does_not_bleed()
    {
        // One opaque black and three transparent red pixels: (0 + 3 * 255) / 4 = 191.25 in every channel.
        var png = TestImages.Encode(2, 2, (x, y) => x + y == 0 ? SKColors.Black : new SKColor(255, 0, 0, 0), SKEncodedImageFormat.Png);
        Assert.Equal([191, 191, 191], Decode("image/png", png, 1, 1));
    }

    [Fact]
    public void Half_transparent_black_over_white_is_grey()
    {
        var png = TestImages.Encode(1, 1, (_, _) => new SKColor(0, 0, 0, 102), SKEncodedImageFormat.Png);
        Assert.Equal([153, 153, 153], Decode("image/png", png, 1, 1));
    }

    [Fact]
    public void Sixteen_bit_and_palette_and_bilevel_images_are_read()
    {
        Assert.Equal([0x12, 0xFF], Decode("image/png", TestImages.Png(2, 1, 16, 0, [[0x12, 0x12, 0xFF, 0xFF]]), 1, 2, channels: 1));
        Assert.Equal([7, 1, 8, 2, 9, 3], Decode("image/png", TestImages.Png(2, 1, 1, 3, [[0b1000_0000]], [1, 2, 3, 7, 8, 9]), 1, 2));
        Assert.Equal([255, 0], Decode("image/png", TestImages.Png(2, 1, 1, 0, [[0b1000_0000]]), 1, 2, channels: 1));
    }

    [Fact]
    public void The_first_frame_of_a_gif_is_taken()
    {
        var gif = TestImages.Gif(2, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 1], [0, 2]);
        Assert.Equal([10, 4, 11, 5, 12, 6], Decode("image/gif", gif, 1, 2));
    }

    [Fact]
    public void The_bytes_decide_the_format_and_not_the_declared_type() =>
        Assert.Equal([5, 6, 7], Decode("image/jpeg", TestImages.Bmp(1, 1, (_, _) => new SKColor(5, 6, 7)), 1, 1));

    [Theory]
    [InlineData(1, "RGBX")]
    [InlineData(2, "GRXB")] // mirrored
    [InlineData(3, "XBGR")] // half a turn
    [InlineData(4, "BXRG")] // upside down and mirrored
    [InlineData(5, "RBGX")] // transposed
    [InlineData(6, "BRXG")] // to be turned clockwise
    [InlineData(7, "XGBR")] // transposed across the other diagonal
    [InlineData(8, "GXRB")] // to be turned counter-clockwise
    public void Exif_orientation_turns_the_picture_upright(byte orientation, string quadrants)
    {
        // Stored quadrants: red, green / blue, grey; upright ones are listed row by row. X is grey.
        var jpeg = TestImages.Encode(32, 32, (x, y) => (x < 16, y < 16) switch { (true, true) => Red, (false, true) => Green, (true, false) => Blue, _ => Grey }, SKEncodedImageFormat.Jpeg);
        var sample = Decode("image/jpeg", TestImages.WithOrientation(jpeg, orientation), 2, 2);
        var seen = string.Concat(Enumerable.Range(0, 4).Select(i => Name(sample[i], sample[4 + i], sample[8 + i])));
        Assert.Equal(quadrants, seen);

        static char Name(byte red, byte green, byte blue) =>
            red > 200 ? 'R' : green > 200 ? 'G' : blue > 200 ? 'B' : 'X';
    }

    [Fact]
    public void A_turned_image_is_cropped_by_its_upright_shape()
    {
        // Stored 48 x 16, upright 16 x 48: the middle third is what remains.
        var jpeg = TestImages.Encode(48, 16, (x, _) => x is >= 16 and < 32 ? Green : Red, SKEncodedImageFormat.Jpeg);
        var sample = Decode("image/jpeg", TestImages.WithOrientation(jpeg, 6), 1, 1);
        Assert.True(sample[0] < 30 && sample[1] > 225, $"{sample[0]}, {sample[1]}, {sample[2]} is not green");
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void A_large_photograph_decoded_at_a_fraction_of_its_size_looks_like_the_full_decode(SKEncodedImageFormat format)
    {
        static SKColor Smooth(int x, int y) => new((byte)(x * 255 / 799), (byte)(y * 255 / 599), (byte)(128 + (100 * Math.Sin(x / 60.0) * Math.Cos(y / 60.0))));
        var exact = Decode("image/*", TestImages.Encode(800, 600, Smooth, SKEncodedImageFormat.Png), 24, 32);
        var scaled = Decode("image/*", TestImages.Encode(800, 600, Smooth, format, quality: 95), 24, 32);
        var worst = exact.Zip(scaled, (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(worst, 0, 8);
    }

    [Fact]
    public void Progressive_and_cmyk_jpegs_agree_on_the_picture()
    {
        var progressive = Decode("image/*", TestImages.ProgressiveJpeg, 4, 4);
        var cmyk = Decode("image/*", TestImages.CmykJpeg, 4, 4);

        // Red grows to the right and green downwards, 64 a step: means of 4 x 4 blocks of x * 16 are 24, 88, 152, 216.
        foreach (var sample in new[] { progressive, cmyk })
        {
            Assert.InRange(sample[0], 9, 39);
            Assert.InRange(sample[3], 201, 231);
            Assert.InRange(sample[16 + 12], 201, 231);
        }
    }

    [Fact]
    public void A_sample_buffer_of_another_length_is_the_callers_mistake()
    {
        var decoder = new ImageDecoder(new() { Height = 2, Width = 3, Channels = 1 });
        var error = Assert.Throws<ArgumentException>(() => decoder.TryDecode("image/png", [1], new byte[5], out _));
        Assert.StartsWith("The sample has 5 bytes; must be 6 (1 x 2 x 3).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_threads_get_what_one_gets()
    {
        var decoder = new ImageDecoder(new() { Height = 8, Width = 8 });
        var images = Samples.All.Values.ToArray();
        var expected = images.Select(One).ToArray();
        Parallel.For(0, 2_000, i => Assert.Equal(expected[i % images.Length], One(images[i % images.Length])));

        byte[] One(byte[] bytes)
        {
            var sample = new byte[decoder.SampleBytes];
            Assert.True(decoder.TryDecode("image/*", bytes, sample, out var problem), problem?.Message);
            return sample;
        }
    }

    private static byte[] Decode(string mediaType, byte[] bytes, int height, int width, int channels = 3)
    {
        var decoder = new ImageDecoder(new() { Height = height, Width = width, Channels = channels });
        Assert.Null(decoder.Check(mediaType, bytes));
        var sample = new byte[decoder.SampleBytes];
        Assert.True(decoder.TryDecode(mediaType, bytes, sample, out var problem), problem?.Message);
        Assert.Null(problem);
        return sample;
    }

    private static byte[] Greys(params byte[][] lines) => TestImages.Png(lines[0].Length, lines.Length, 8, 0, lines);

    private static byte[][] Repeat(byte[] line, int count) => [.. Enumerable.Repeat(line, count)];
}
