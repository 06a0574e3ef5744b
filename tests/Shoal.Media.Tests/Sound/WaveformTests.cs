using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class WaveformTests
{
    private const int Length = 4_000;

    private static readonly SoundFormatOptions Options = new() { SampleRate = 8_000, WindowSeconds = 0.5 };
    private static readonly SoundDecoder Decoder = SoundDecoder.OfWaveforms(Options);

    [Fact]
    public void Every_value_is_companded_by_the_formula()
    {
        float[] sound = TestSounds.Noise(Length, seed: 3);
        double mean = sound.Average(value => (double)value), peak = sound.Max(value => Math.Abs(value - mean));
        byte[] sample = Decode(sound);
        Assert.Equal(Length, Decoder.SampleBytes);
        for (var i = 0; i < Length; i++)
        {
            var x = (sound[i] - mean) / peak;
            Assert.Equal(128 + (127 * Math.Sign(x) * Math.Log(1 + (255 * Math.Abs(x))) / Math.Log(256)), sample[i], 0.501);
        }

        Assert.True(sample.Max() == 255 || sample.Min() == 1);
        Assert.DoesNotContain((byte)0, sample);
    }

    [Fact]
    public void A_square_is_full_scale_and_half_of_it_is_111_steps()
    {
        // By hand: 127 ln(1 + 255 / 2) / ln 256 = 127 · 4.8559 / 5.5452 = 111.2.
        byte[] sample = Decode([.. Enumerable.Range(0, Length).Select(i => (i % 4) switch { 0 => 0.4f, 1 => -0.4f, 2 => 0.2f, _ => -0.2f })]);
        Assert.Equal([255, 1, 239, 17], sample[..4]);
    }

    [Fact]
    public void Gain_and_a_constant_change_nothing_and_what_is_missing_is_silence()
    {
        float[] sound = TestSounds.Tone(440, 8_000, 3_000);
        byte[] sample = Decode(sound);
        Assert.All(Decode([.. sound.Select(value => (0.02f * value) + 0.3f)]).Zip(sample), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
        Assert.All(sample[3_000..], value => Assert.Equal(128, value));
    }

    [Fact]
    public void Rounding_is_far_below_what_is_heard_also_forty_decibels_below_a_click()
    {
        foreach (var level in new[] { 1, 0.01f })
        {
            float[] sound = TestSounds.Tone(313, 8_000, Length, level);
            sound[0] = 1;
            byte[] sample = Decode(sound);
            double[] heard = [.. sample.Select(value => Math.Sign(value - 128) * (Math.Pow(256, Math.Abs(value - 128) / 127.0) - 1) / 255)];
            var mean = sound.Average();
            var scale = sound.Max(value => Math.Abs(value - mean));
            var error = sound.Skip(1).Zip(heard.Skip(1), (before, after) => ((before - mean) / scale) - after).Average(value => value * value);
            Assert.InRange(TestSounds.Decibels(Math.Sqrt(error) / TestSounds.Level(sound.Skip(1))), -60, -30);
        }
    }

    [Fact]
    public void Silence_and_what_is_too_long_are_refused_as_for_spectrograms()
    {
        var sample = new byte[Length];
        Assert.False(Decoder.TryDecode("audio/wav", TestSounds.Floats([.. Enumerable.Repeat(0.7f, Length)], 8_000), sample, out var problem));
        Assert.Equal("silent", problem?.Code);
        Assert.False(Decoder.TryDecode("audio/wav", TestSounds.Floats(TestSounds.Noise(Length + 2, 1), 8_000), sample, out problem));
        Assert.Equal("too-long", problem?.Code);
        Assert.Equal(new byte[Length], sample);
        var error = Assert.Throws<ArgumentException>(() => Decoder.TryDecode("audio/wav", [], new byte[7], out _));
        Assert.StartsWith("The sample has 7 bytes; must be 4000 (1 x 1 x 4000).", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Decode(float[] sound)
    {
        var sample = new byte[Length];
        Assert.True(Decoder.TryDecode("audio/wav", TestSounds.Floats(sound, 8_000), sample, out var problem), problem?.Message);
        return sample;
    }
}
