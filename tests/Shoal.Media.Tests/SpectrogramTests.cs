using Shoal.Media.Sound;
using Shoal.Media.Tests.Sound;
using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class SpectrogramTests
{
    [Fact]
    public void Louder_is_lighter_in_steps_that_look_equal()
    {
        double[] lightness = [.. Enumerable.Range(0, 256).Select(level => Lightness(LoudnessColours.Of((byte)level)))];
        double[] steps = [.. lightness.Zip(lightness.Skip(1), (from, to) => to - from)];

        // CIE L* is another scale than the one that the colours are made in; bytes round each step by up to a third of one.
        Assert.True(steps.Min() > -0.1, $"a louder cell is darker by {-steps.Min():F3}");
        double[] tens = [.. Enumerable.Range(0, 25).Select(ten => lightness[(10 * ten) + 10] - lightness[10 * ten])];
        Assert.All(tens, ten => Assert.InRange(ten, 1.5, 6.5));
        Assert.True(lightness[0] < 10 && lightness[255] > 90, $"from {lightness[0]:F0} to {lightness[255]:F0}");
    }

    [Fact]
    public void A_click_is_a_light_column_where_it_is()
    {
        // Above the noise the click is heard, and with it the whole window is.
        float[] values = TestSounds.Noise(8_000, seed: 1, level: 0.0025);
        values[2_000] = 0.9f;
        byte[]? png = Spectrograms.OfWindow("audio/wav", WavWriter.Write(values, 8_000), new() { SampleRate = 8_000 }, 32, out MediaProblem? problem);

        Assert.Null(problem);
        using SKBitmap picture = SKBitmap.Decode(png);
        Assert.Equal((32, 32), (picture.Width, picture.Height));
        int[] light = [.. Enumerable.Range(0, 32).Select(x => Enumerable.Range(0, 32).Sum(y => (int)picture.GetPixel(x, y).Green))];
        Assert.InRange(Array.IndexOf(light, light.Max()), 7, 8);
        Assert.True(light[20] < light.Max() / 4, string.Join(' ', light));
    }

    [Fact]
    public void More_cells_than_a_sample_may_have_are_not_drawn_and_fewer_than_it_must_have_are_refused()
    {
        byte[] wav = WavWriter.Write([.. Enumerable.Range(0, 8_000).Select(i => MathF.Sin(i))], 8_000);
        using SKBitmap picture = SKBitmap.Decode(Spectrograms.OfWindow("audio/wav", wav, new() { SampleRate = 8_000 }, 512, out _));
        Assert.Equal((256, 256), (picture.Width, picture.Height));
        Assert.Throws<ArgumentOutOfRangeException>(() => Spectrograms.OfWindow("audio/wav", wav, new(), 7, out _));
    }

    // CIE 1976 L* over Rec. 709 luminance.
    private static double Lightness((byte Red, byte Green, byte Blue) colour)
    {
        double y = (0.2126 * Linear(colour.Red)) + (0.7152 * Linear(colour.Green)) + (0.0722 * Linear(colour.Blue));
        return y > 0.008856 ? (116 * Math.Cbrt(y)) - 16 : 903.3 * y;

        static double Linear(byte stored)
        {
            double value = stored / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }
    }
}
