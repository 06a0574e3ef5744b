using System.Diagnostics;
using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class LogMelTests(ITestOutputHelper output)
{
    private static readonly SoundFormatOptions Default = new();

    public static TheoryData<int, double, int, int> Forms => new()
    {
        { 16_000, 1, 64, 64 },
        { 8_000, 0.25, 16, 40 },
        { 4_000, 0.1, 8, 256 }, // frames of 25 ms overlap many times
        { 4_000, 0.5, 256, 8 }, // filters narrower than a frame resolves
        { 11_025, 0.3, 33, 17 }, // nothing divides anything
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Noise_gives_what_the_definition_gives(int rate, double seconds, int mels, int frames)
    {
        var options = new SoundFormatOptions { SampleRate = rate, WindowSeconds = seconds, Mels = mels, Frames = frames };
        var noise = TestSounds.Noise(options.WindowLength, seed: 11);

        // A tone far above the noise puts a part of the cells near the floor of the range.
        var mixed = noise.Zip(TestSounds.Tone(rate / 5.0, rate, noise.Length), (n, t) => (n / 5) + t).ToArray();
        foreach (var sound in new[] { noise, mixed, noise[..(noise.Length / 3)] })
        {
            var (expected, sample) = (LogMelReference.Of(sound, options), Decode(sound, options));
            var differences = expected.Zip(sample, (a, b) => Math.Abs(a - b)).ToArray();
            Assert.InRange(differences.Max(), 0, 1);
            Assert.True(expected.Distinct().Count() > 30, "the reference says next to nothing");
        }
    }

    [Fact]
    public void The_comparison_would_notice_filters_that_are_one_band_off()
    {
        var noise = TestSounds.Noise(2_000, seed: 11);
        var options = new SoundFormatOptions { SampleRate = 8_000, WindowSeconds = 0.25, Mels = 16, Frames = 40 };
        var shifted = LogMelReference.Of(noise, options).AsSpan(40);
        Assert.True(shifted.ToArray().Zip(Decode(noise, options), (a, b) => Math.Abs(a - b)).Max() > 10);
    }

    [Fact]
    public void A_tone_lights_the_band_that_holds_it()
    {
        // By hand: 1,000 Hz are 2595 log10(1 + 10/7) = 1000.0 mel; 8,000 Hz are 2840.0, so corners lie 2840.0/65 = 43.69
        // apart, and the nearest peak is that of corner 23 (1004.9): band 22, counted from below, in row 63 - 22 = 41.
        var sample = Decode(TestSounds.Tone(1_000, 16_000, 16_000), Default);
        for (var frame = 1; frame < 63; frame++)
        {
            var column = Enumerable.Range(0, 64).Select(row => sample[(row * 64) + frame]).ToArray();
            Assert.Equal(41, Array.IndexOf(column, column.Max()));
            Assert.InRange(column[41], 254, 255);
            Assert.All(Enumerable.Range(0, 64).Where(row => Math.Abs(row - 41) > 8), row => Assert.Equal(0, column[row]));
        }
    }

    [Fact]
    public void High_tones_are_above_low_ones_and_the_second_comes_after_the_first()
    {
        float[] sound = [.. TestSounds.Tone(300, 16_000, 8_000), .. TestSounds.Tone(5_000, 16_000, 8_000)];
        var sample = Decode(sound, Default);
        Assert.InRange(Brightest(sample, 16), 50, 63);
        Assert.InRange(Brightest(sample, 48), 0, 20);

        static int Brightest(byte[] sample, int frame) => Enumerable.Range(0, 64).MaxBy(row => sample[(row * 64) + frame]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_100)]
    [InlineData(15_999)]
    public void A_click_is_brightest_in_the_frame_that_holds_it(int at)
    {
        var sound = TestSounds.Noise(16_000, seed: 3).Select(v => v / 100).ToArray();
        sound[at] = 1;
        var sample = Decode(sound, Default);
        var columns = Enumerable.Range(0, 64).Select(frame => Enumerable.Range(0, 64).Sum(row => sample[(row * 64) + frame])).ToArray();
        Assert.Equal(at / 250, Array.IndexOf(columns, columns.Max()));
    }

    [Fact]
    public void Gain_and_a_constant_change_nothing()
    {
        var noise = TestSounds.Noise(16_000, seed: 2);
        var sample = Decode(noise, Default);
        Assert.Equal(sample, Decode([.. noise.Select(v => v / 64)], Default));
        foreach (var changed in new[] { noise.Select(v => v * 0.013f), noise.Select(v => v * 1_000), noise.Select(v => v + 0.2f) })
        {
            Assert.InRange(sample.Zip(Decode([.. changed], Default), (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        }

        Assert.Equal(255, sample.Max());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(160)]
    [InlineData(8_000)]
    public void Silence_around_a_sound_is_not_shown(int before)
    {
        var noise = TestSounds.Noise(8_000, seed: 4);
        var alone = Decode(noise, Default with { WindowSeconds = 0.5 });
        var hiss = TestSounds.Noise(16_000, seed: 5).Select(v => v / 1_000).ToArray();
        foreach (var around in new[] { new float[16_000], hiss })
        {
            float[] sound = [.. around[..before], .. noise, .. around[..(8_000 - before)]];
            Assert.InRange(alone.Zip(Decode(sound, Default), (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        }

        // The control: a murmur around it is shown.
        float[] murmur = [.. noise, .. hiss[..8_000].Select(v => v * 100)];
        Assert.True(alone.Zip(Decode(murmur, Default), (a, b) => Math.Abs(a - b)).Max() > 100);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8_000)]
    [InlineData(15_999)]
    public void A_click_is_shown_with_a_tenth_of_a_second(int at)
    {
        var sound = new float[16_000];
        sound[at] = 0.5f;
        var sample = Decode(sound, Default);

        // A frame of 25 ms of 100 ms: a quarter of the columns, and one more where they are cut.
        Assert.InRange(Enumerable.Range(0, 64).Count(frame => sample[(32 * 64) + frame] > 0), 7, 17);
        Assert.Equal(255, sample.Max());
    }

    [Theory]
    [InlineData(4_000, 0.1, 256, 256)]
    [InlineData(4_000, 30, 8, 8)]
    [InlineData(48_000, 0.1, 256, 8)]
    [InlineData(48_000, 30, 8, 8)]
    [InlineData(48_000, 30, 256, 256)]
    public void At_the_ends_of_the_ranges_every_band_hears_noise(int rate, double seconds, int mels, int frames)
    {
        var options = new SoundFormatOptions { SampleRate = rate, WindowSeconds = seconds, Mels = mels, Frames = frames };
        var sample = Decode(TestSounds.Noise(options.WindowLength, seed: 6), options);
        Assert.All(Enumerable.Range(0, mels), row => Assert.True(sample.AsSpan(row * frames, frames).ToArray().Average(v => v) > 25, $"row {row} is dark"));
    }

    [Fact]
    public void Many_threads_get_what_one_gets()
    {
        var decoder = new SoundDecoder(Default);
        var sounds = Enumerable.Range(0, 8).Select(i => WavWriter.Write(TestSounds.Noise(16_000, i), 16_000)).ToArray();
        var expected = sounds.Select(One).ToArray();
        Parallel.For(0, 400, i => Assert.Equal(expected[i % 8], One(sounds[i % 8])));

        byte[] One(byte[] wav)
        {
            var sample = new byte[decoder.SampleBytes];
            Assert.True(decoder.TryDecode("audio/wav", wav, sample, out var problem), problem?.Message);
            return sample;
        }
    }

    [Fact]
    public void It_is_much_faster_than_sound()
    {
        var decoder = new SoundDecoder(Default);
        var sample = new byte[decoder.SampleBytes];
        foreach (var rate in new[] { 16_000, 44_100 })
        {
            var wav = WavWriter.Write(TestSounds.Noise(rate, seed: 1), rate);
            var best = TimeSpan.MaxValue;
            var allocated = 0L;
            for (var i = 0; i < 200; i++)
            {
                var (before, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
                Assert.True(decoder.TryDecode("audio/wav", wav, sample, out _));
                var took = Stopwatch.GetElapsedTime(started);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                best = took < best ? took : best;
            }

            var check = Stopwatch.GetTimestamp();
            for (var i = 0; i < 10_000; i++)
            {
                _ = decoder.Check("audio/wav", wav);
            }

            output.WriteLine($"{rate} Hz: header looked at in {Stopwatch.GetElapsedTime(check).TotalNanoseconds / 10_000:N0} ns");
            output.WriteLine($"{rate} Hz: {best.TotalMicroseconds:N0} µs a second of sound, {1 / best.TotalSeconds:N0} x real time, {allocated} bytes allocated");
            Assert.True(best < TimeSpan.FromMilliseconds(20), $"{best} for a second of sound");
            Assert.InRange(allocated, 0, 1_000);
        }
    }

    private static byte[] Decode(float[] sound, SoundFormatOptions options)
    {
        var decoder = new SoundDecoder(options);
        var sample = new byte[decoder.SampleBytes];
        Assert.True(decoder.TryDecode("audio/wav", TestSounds.Floats(sound, options.SampleRate), sample, out var problem), problem?.Message);
        return sample;
    }
}
