using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

/// <summary>What the filter keeps and what it takes away, for usual rates, odd ones and large ratios.</summary>
public sealed class ResamplingTests(ITestOutputHelper output)
{
    private static readonly (int From, int To)[] Rates =
    [
        (44_100, 16_000), (48_000, 16_000), (22_050, 16_000), (8_000, 16_000), (11_025, 16_000), (16_000, 44_100), (96_000, 4_000),
        (384_000, 48_000), (12_347, 16_000), (47_999, 47_998), (999_983, 4_001), (15_999, 16_000),
    ];

    public static TheoryData<int, int> Pairs => [.. Rates];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Tones_in_band_keep_level_and_place_and_tones_above_are_60_dB_down(int from, int to)
    {
        var (kept, error) = (0.0, double.NegativeInfinity);
        var nyquist = Math.Min(from, to) / 2.0;
        foreach (var part in new[] { 0.01, 0.1, 0.37, 0.5, 0.73, 0.89 })
        {
            var (tone, ideal) = (Resampled(from, to, part * nyquist), TestSounds.Tone(part * nyquist, to, to / 2));
            var level = TestSounds.Decibels(TestSounds.Level(Middle(tone)) / TestSounds.Level(Middle(ideal)));
            kept = Math.Abs(level) > Math.Abs(kept) ? level : kept;

            // Against the tone itself, so that a delay, an image or a wrong place would be seen as well.
            error = Math.Max(error, TestSounds.Decibels(TestSounds.Level(Middle(tone).Zip(Middle(ideal), (a, b) => a - b)) / TestSounds.Level(ideal)));
        }

        var above = double.NegativeInfinity;
        for (var part = 1.01; part * nyquist < from / 2.0; part *= 1.1)
        {
            above = Math.Max(above, TestSounds.Decibels(TestSounds.Level(Middle(Resampled(from, to, part * nyquist))) / 0.5 * Math.Sqrt(2)));
        }

        output.WriteLine($"{from} to {to} Hz: level {kept:0.0000} dB, difference from the tone {error:0} dB, above {above:0} dB");
        Assert.InRange(kept, -0.5, 0.5);
        Assert.InRange(error, double.NegativeInfinity, -60);
        Assert.InRange(above, double.NegativeInfinity, -60);
    }

    [Fact]
    public void Taking_every_third_value_would_not_pass()
    {
        var every = TestSounds.Tone(9_000, 48_000, 24_000).Where((_, i) => i % 3 == 0);
        Assert.InRange(TestSounds.Decibels(TestSounds.Level(every) / 0.5 * Math.Sqrt(2)), -1, 1);
    }

    [Fact]
    public void A_constant_stays_constant_and_lengths_are_rounded_up()
    {
        foreach (var (from, to) in Rates)
        {
            var read = Read(TestSounds.Floats([.. Enumerable.Repeat(0.25f, from / 2)], from), to);
            Assert.Equal((int)Math.Ceiling(from / 2 * (double)to / from), read.Length);
            Assert.All(Middle(read), value => Assert.Equal(0.25f, value, 1e-5f));
        }

        Assert.Equal(16_000, Read(TestSounds.Floats(new float[44_100], 44_100), 16_000).Length);
        Assert.Equal(16_001, Read(TestSounds.Floats(new float[44_101], 44_100), 16_000).Length);
    }

    [Fact]
    public void More_pairs_of_rates_than_are_kept_give_what_the_first_gave()
    {
        var noise = TestSounds.Noise(2_000, seed: 8);
        var first = Read(TestSounds.Floats(noise, 8_000), 16_000);
        for (var rate = 8_001; rate < 8_040; rate++)
        {
            _ = Read(TestSounds.Floats(noise, rate), 16_000);
        }

        Assert.Equal(first, Read(TestSounds.Floats(noise, 8_000), 16_000));
    }

    // Half a second, of which a tenth at each end is left out: there the filter sees the silence around.
    private static IEnumerable<float> Middle(float[] values) => values.Skip(values.Length / 5).Take(values.Length * 3 / 5);

    private static float[] Resampled(int from, int to, double hertz) => Read(TestSounds.Floats(TestSounds.Tone(hertz, from, from / 2), from), to);

    private static float[] Read(byte[] wav, int rate)
    {
        Assert.True(SoundReader.TryRead(wav, rate, 10, out var mono, out var problem), problem?.Message);
        return mono;
    }
}
