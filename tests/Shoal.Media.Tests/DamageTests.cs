using System.Buffers.Binary;
using System.Diagnostics;
using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class DamageTests
{
    private static readonly ImageDecoder Decoder = new(new() { Height = 8, Width = 8, MaxPixels = 1_000_000 });

    public static TheoryData<string> Formats => [.. Samples.All.Keys];

    [Theory]
    [MemberData(nameof(Formats))]
    public void An_image_cut_off_anywhere_before_its_last_pixel_is_never_decoded_half(string format)
    {
        var whole = Samples.All[format];
        var good = new byte[192];
        Assert.True(Decoder.TryDecode("image/*", whole, good, out _));
        var truncated = 0;
        for (var length = 1; length < whole.Length; length++)
        {
            var sample = new byte[192];
            if (Decoder.TryDecode("image/*", whole.AsSpan(0, length), sample, out var problem))
            {
                // Trailers may be missing (IEND, EOI, a checksum): all pixels are there then.
                Assert.Equal(good, sample);
                Assert.True(length >= whole.Length - 24, $"{format}: {length} of {whole.Length} bytes were enough");
                continue;
            }

            Assert.All(sample, value => Assert.Equal(0, value));
            Assert.True(problem!.Code is "truncated" or "not-an-image", $"{format}: {length} bytes are {problem}");
            truncated += problem.Code is "truncated" ? 1 : 0;
        }

        Assert.True(truncated > 0, $"{format}: no cut was told as one");
    }

    [Fact]
    public void A_photograph_whose_upload_broke_off_is_quarantined_as_truncated()
    {
        foreach (var format in new[] { SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp })
        {
            var whole = TestImages.Encode(400, 300, TestImages.Pattern, format, quality: 80);
            Assert.Null(Decoder.Check("image/*", whole.AsSpan(0, whole.Length / 2)));
            Assert.False(Decoder.TryDecode("image/*", whole.AsSpan(0, whole.Length / 2), new byte[192], out var problem));
            Assert.Equal(new MediaProblem("truncated", "The image ends before its last pixel; send the whole file again."), problem);
        }
    }

    [Fact]
    public void A_png_with_a_damaged_pixel_stream_is_quarantined_as_undecodable()
    {
        var png = TestImages.Encode(64, 64, TestImages.Pattern, SKEncodedImageFormat.Png);
        png.AsSpan(png.Length / 2, 32).Clear();
        Assert.Null(Decoder.Check("image/png", png));
        Assert.False(Decoder.TryDecode("image/png", png, new byte[192], out var problem));
        Assert.Equal("undecodable", problem?.Code);
    }

    [Fact]
    public void A_png_whose_pixels_do_not_fit_their_checksum_is_quarantined()
    {
        var png = TestImages.Encode(300, 300, TestImages.Pattern, SKEncodedImageFormat.Png);
        var pixels = png.AsSpan().IndexOf("IDAT"u8);
        var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(pixels - 4));
        png[pixels + 4 + length] ^= 1;
        Assert.False(Decoder.TryDecode("image/png", png, new byte[192], out var problem));
        Assert.Equal("undecodable", problem?.Code);
    }

    /// <summary>Seeded mutations: flipped bits, overwritten, inserted and removed bytes, and cuts, one to eight at a time.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Mutated_bytes_are_decoded_or_refused_and_never_throw_or_take_long(string format)
    {
        const int Mutations = 2_000;
        var random = new Random(4213);
        var sample = new byte[192];
        var worst = TimeSpan.Zero;
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = Mutate(Samples.All[format], random);
            var started = Stopwatch.GetTimestamp();
            var early = Decoder.Check("image/*", bytes);
            var decoded = Decoder.TryDecode("image/*", bytes, sample, out var problem);
            var took = Stopwatch.GetElapsedTime(started);
            worst = took > worst ? took : worst;
            Assert.Equal(decoded, problem is null);
            Assert.False(early is not null && decoded, $"{format}, mutation {i}: refused at the door and decoded");
            refused += decoded ? 0 : 1;
        }

        Assert.InRange(refused, 1, Mutations);

        // A megapixel takes 10 ms; two seconds is what a busy machine may make of it, and far below a hang.
        Assert.True(worst < TimeSpan.FromSeconds(2), $"{format}: one mutation took {worst}");
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var left = random.Next(1, 9); left > 0 && bytes.Count > 0; left--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(16))
            {
                case 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 1 or 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at));
                    break;
                case 3 or 4:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case <= 8:
                    bytes[at] = (byte)random.Next(256);
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return [.. bytes];
    }
}
