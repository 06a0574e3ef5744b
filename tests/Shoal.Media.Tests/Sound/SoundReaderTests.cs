using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class SoundReaderTests
{
    public static TheoryData<string> Variants => [.. TestSounds.All.Keys];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_form_of_a_file_gives_the_same_values_within_its_quantisation(string variant)
    {
        var expected = TestSounds.Noise(40, seed: 5);
        var read = Read(TestSounds.All[variant], 16_000);
        Assert.Equal(40, read.Length);
        var step = variant is "pcm8" ? 1 / 128.0 : 1 / 32_768.0;
        Assert.All(expected.Zip(read), pair => Assert.Equal(pair.First, pair.Second, 0.5 * step + 1e-7));
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(1, 16)]
    [InlineData(1, 24)]
    [InlineData(1, 32)]
    [InlineData(3, 32)]
    [InlineData(3, 64)]
    public void Values_that_a_form_can_hold_come_back_exactly(int kind, int bits)
    {
        float[] values = [-1, -0.5f, -1 / 128f, 0, 1 / 128f, 0.25f, 127 / 128f];
        Assert.Equal(values, Read(TestSounds.Wav(TestSounds.Format(kind, bits, 1, 8_000), TestSounds.Encode(kind, bits, values)), 8_000));
    }

    [Fact]
    public void Bytes_mean_what_the_standard_says()
    {
        Assert.Equal([-1, 0, 127 / 128f], Read(TestSounds.Wav(TestSounds.Format(1, 8, 1, 8_000), [0, 128, 255]), 8_000));
        Assert.Equal([1 / 32_768f, -1], Read(TestSounds.Wav(TestSounds.Format(1, 16, 1, 8_000), [1, 0, 0, 0x80]), 8_000));
        Assert.Equal([0.5f, -1 / 8_388_608f], Read(TestSounds.Wav(TestSounds.Format(1, 24, 1, 8_000), [0, 0, 0x40, 0xFF, 0xFF, 0xFF]), 8_000));
    }

    [Fact]
    public void Channels_are_averaged()
    {
        var wav = TestSounds.Wav(TestSounds.Format(1, 16, 3, 8_000), TestSounds.Encode(1, 16, [0.75f, 0, 0, -0.5f, 0.5f, 0.25f]));
        Assert.Equal([0.25f, 0.25f / 3], Read(wav, 8_000));
    }

    [Fact]
    public void A_length_of_nothing_is_believed_where_the_file_knows_its_own_length()
    {
        var wav = TestSounds.Riff(null, TestSounds.Chunk("fmt ", TestSounds.Format(1, 16, 1, 8_000)), TestSounds.Chunk("data", []), TestSounds.Chunk("LIST", new byte[50]));
        Assert.Equal("empty", Problem(wav).Code);
    }

    [Fact]
    public void A_file_that_lacks_what_its_header_announces_is_truncated()
    {
        var problem = Problem(TestSounds.All["pcm16"][..^1]);
        Assert.Equal(new MediaProblem("truncated", "The WAV announces 80 bytes of sound and has 79; send the whole file again."), problem);
        Assert.Equal("The WAV ends within its header; send the whole file again.", Problem(TestSounds.All["pcm16"][..20]).Message);
    }

    [Fact]
    public void Forms_that_are_not_read_are_named()
    {
        byte[] data = new byte[64];
        Assert.StartsWith("The WAV has format 0x0007, 8 bits, 1 channels, 8,000 Hz, 1 bytes a step; read are ", Problem(TestSounds.Wav(TestSounds.Format(7, 8, 1, 8_000), data)).Message, StringComparison.Ordinal);
        byte[][] formats =
        [
            TestSounds.Format(7, 8, 1, 8_000), TestSounds.Extensible(6, 8, 1, 8_000), TestSounds.Format(1, 64, 1, 8_000), TestSounds.Format(3, 16, 1, 8_000),
            TestSounds.Format(1, 16, 0, 8_000), TestSounds.Format(1, 8, 65, 8_000), TestSounds.Format(1, 16, 1, 0), TestSounds.Format(1, 16, 1, 999), TestSounds.Format(1, 16, 1, 1_000_001),
            TestSounds.Format(1, 0, 1, 8_000), [.. TestSounds.Format(1, 16, 1, 8_000)[..12], 3, 0, 16, 0], TestSounds.Format(1, 16, 1, 8_000)[..14],
            [.. TestSounds.Extensible(1, 16, 1, 8_000)[..39], 0],
        ];
        Assert.All(formats, format => Assert.Equal("not-a-sound", Problem(TestSounds.Wav(format, data)).Code));
        Assert.Equal("not-a-sound", Problem(TestSounds.Riff(null, TestSounds.Chunk("data", data))).Code);
        Assert.Equal("not-a-sound", Problem(TestSounds.Riff(null, [.. Enumerable.Repeat(TestSounds.Chunk("junk", []), 1_000), TestSounds.All["pcm16"][12..]])).Code);
        Assert.Equal("not-a-sound", Problem([.. "fLaC"u8, .. data]).Code);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-3e9f)]
    public void Values_that_are_no_sound_are_refused(float value) => Assert.Equal("undecodable", Problem(TestSounds.Floats([0.5f, value], 8_000)).Code);

    [Fact]
    public void A_sound_that_is_too_long_is_refused_by_its_header()
    {
        var wav = TestSounds.Floats(new float[8_001], 8_000);
        Assert.Null(SoundReader.Check(wav, 1.001));
        var problem = SoundReader.Check(wav, 1);
        Assert.Equal("too-long", problem?.Code);
        Assert.False(SoundReader.TryRead(wav, 16_000, 1, out var mono, out var same));
        Assert.Null(mono);
        Assert.Equal(problem, same);
    }

    [Fact]
    public void A_header_is_looked_at_without_allocating_whatever_it_announces()
    {
        var all = TestSounds.All.Values.ToArray();
        foreach (var wav in all)
        {
            Assert.Null(SoundReader.Check(wav, 1));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var wav in all)
        {
            _ = SoundReader.Check(wav, 1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // A stream that announces 4 GiB and has 80 bytes at 1,000 Hz: 40 values become 1,920.
        var stream = TestSounds.Riff(TestSounds.Unwritten, TestSounds.Chunk("fmt ", TestSounds.Format(1, 16, 1, 1_000)), TestSounds.Chunk("data", new byte[80], TestSounds.Unwritten));
        _ = Read(stream, 48_000);
        before = GC.GetAllocatedBytesForCurrentThread();
        _ = Read(stream, 48_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
    }

    [Fact]
    public void Rates_and_lengths_that_cannot_be_are_the_callers_mistake()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SoundReader.TryRead([], 3_999, 1, out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => SoundReader.TryRead([], 48_001, 1, out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => SoundReader.TryRead([], 16_000, 1e6, out _, out _));
    }

    [Fact]
    public void What_is_written_is_read_back_within_half_a_step_and_clipped_at_full_scale()
    {
        var noise = TestSounds.Noise(1_000, seed: 3, level: 0.99);
        var wav = WavWriter.Write(noise, 22_050);
        Assert.Equal(TestSounds.Wav(TestSounds.Format(1, 16, 1, 22_050), TestSounds.Encode(1, 16, noise)), wav);
        Assert.Equal([-1, 32_767 / 32_768f], Read(WavWriter.Write([-1.5f, 1.5f], 8_000), 8_000));
    }

    private static float[] Read(byte[] wav, int rate)
    {
        Assert.True(SoundReader.TryRead(wav, rate, 10, out var mono, out var problem), problem?.Message);
        Assert.Null(problem);
        return mono;
    }

    private static MediaProblem Problem(byte[] wav)
    {
        Assert.False(SoundReader.TryRead(wav, 8_000, 10, out var mono, out var problem));
        Assert.Null(mono);
        return problem!;
    }
}
