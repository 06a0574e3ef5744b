using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class SoundDecoderTests
{
    private static readonly SoundDecoder Decoder = new(new() { SampleRate = 8_000, WindowSeconds = 0.5, Mels = 16, Frames = 20, MaxBytes = 100_000 });
    private static readonly byte[] Good = WavWriter.Write(TestSounds.Noise(4_000, seed: 1), 8_000);

    [Fact]
    public void A_good_wav_passes_whatever_sound_type_is_declared()
    {
        Assert.IsAssignableFrom<ISampleDecoder>(Decoder);
        Assert.Equal(320, Decoder.SampleBytes);
        foreach (var declared in new[] { "audio/wav", "AUDIO/X-WAV", "audio/*", "audio/vnd.wave; codec=1", " audio/mpeg " })
        {
            Assert.Null(Decoder.Check(declared, Good));
            Assert.True(Decoder.TryDecode(declared, Good, new byte[320], out var problem));
            Assert.Null(problem);
        }
    }

    [Fact]
    public void Bare_sound_is_the_same_as_a_wav_of_it()
    {
        var (wav, raw) = (new byte[320], new byte[320]);
        Assert.True(Decoder.TryDecode("audio/wav", Good, wav, out _));
        Assert.True(Decoder.TryDecode("audio/x-raw; rate=1", Good.AsSpan(44), raw, out _));
        Assert.Equal(wav, raw);
        Assert.Equal(new MediaProblem("wrong-length", "audio/x-raw has 7 bytes; must be an even number: two for each value, 8,000 values a second."), Decoder.Check("audio/x-raw", new byte[7]));
    }

    [Fact]
    public void Another_rate_and_two_channels_give_nearly_the_same_picture()
    {
        var (one, other) = (new byte[320], new byte[320]);
        Assert.True(Decoder.TryDecode("audio/wav", WavWriter.Write(TestSounds.Tone(700, 8_000, 4_000), 8_000), one, out _));
        var stereo = TestSounds.Tone(700, 44_100, 22_050).SelectMany(v => new[] { v, v });
        Assert.True(Decoder.TryDecode("audio/wav", TestSounds.Wav(TestSounds.Format(1, 16, 2, 44_100), TestSounds.Encode(1, 16, stereo)), other, out _));
        for (var row = 0; row < 16; row++)
        {
            // The first and the last frame hear the edges, which another rate has elsewhere.
            for (var frame = 1; frame < 19; frame++)
            {
                Assert.InRange(one[(row * 20) + frame] - other[(row * 20) + frame], -3, 3);
            }
        }
    }

    [Fact]
    public void What_is_no_sound_is_refused_with_what_to_do()
    {
        Assert.Equal("unsupported-type", Decoder.Check("image/png", Good)?.Code);
        Assert.Equal("unsupported-type", Decoder.Check("audio", Good)?.Code);
        Assert.Equal("empty", Decoder.Check("audio/wav", [])?.Code);
        Assert.Equal("empty", Decoder.Check("audio/x-raw", [])?.Code);
        var problem = Decoder.Check("audio/flac", [.. "fLaC"u8, .. new byte[100]]);
        Assert.Equal("not-a-sound", problem?.Code);
        Assert.Equal("The bytes are no WAV, and only WAV and audio/x-raw are stored. Other formats (FLAC, OGG, MP3, M4A) are converted on ingest by ffmpeg; or convert them yourself.", problem?.Message);
        Assert.Equal("The item has 100,001 bytes; this dataset takes at most 100,000. Send it at a lower rate, in one channel or as 16 bits.", Decoder.Check("audio/wav", new byte[100_001])?.Message);
    }

    [Fact]
    public void A_window_may_be_one_value_too_long_and_no_more()
    {
        Assert.Null(Decoder.Check("audio/x-raw", new byte[8_002]));
        Assert.Null(Decoder.Check("audio/wav", WavWriter.Write(new float[4_001], 8_000)));
        Assert.Null(Decoder.Check("audio/wav", WavWriter.Write(new float[22_055], 44_100)));
        foreach (var problem in new[] { Decoder.Check("audio/x-raw", new byte[8_004]), Decoder.Check("audio/wav", WavWriter.Write(new float[4_002], 8_000)), Decoder.Check("audio/wav", WavWriter.Write(new float[22_062], 44_100)) })
        {
            Assert.Equal("too-long", problem?.Code);
            Assert.Equal("The sound lasts 0.5 s; a sample of this dataset is a window of 0.5 s. Recordings are cut into windows when they are ingested as recordings; or send the windows.", problem?.Message);
        }

        // Refused by its header, however many values it would become.
        Assert.StartsWith("The sound lasts 25 s;", Decoder.Check("audio/wav", WavWriter.Write(new float[25_000], 1_000))?.Message, StringComparison.Ordinal);
        Assert.False(Decoder.TryDecode("audio/wav", WavWriter.Write(new float[25_000], 1_000), new byte[320], out var late));
        Assert.Equal("too-long", late?.Code);
    }

    [Fact]
    public void Silence_is_refused_and_nothing_is_written()
    {
        // 33 steps of 32,768 are just above -60 dB, 32 just below; a constant is silent however large it is.
        Assert.Null(Decode(Square(34)));
        foreach (var silent in new[] { Square(32), new float[4_000], [.. Enumerable.Repeat(0.7f, 4_000)], [0.5f] })
        {
            var problem = Decode(silent);
            Assert.Equal(new MediaProblem("silent", "Nothing in the sound is above -60 dB of full scale; check the recorder's gain and cable."), problem);
        }

        static float[] Square(int steps) => [.. Enumerable.Range(0, 4_000).Select(i => (i % 10 < 5 ? steps : -steps) / 32_768f)];

        static MediaProblem? Decode(float[] sound)
        {
            var sample = new byte[320];
            Array.Fill(sample, (byte)7);
            var wav = TestSounds.Floats(sound, 8_000);
            Assert.Null(Decoder.Check("audio/wav", wav));
            Assert.Equal(Decoder.TryDecode("audio/wav", wav, sample, out var problem), Array.Exists(sample, value => value != 7));
            return problem;
        }
    }

    [Fact]
    public void Two_values_that_differ_are_a_picture_and_not_a_division_by_nothing()
    {
        var sample = new byte[320];
        Assert.True(Decoder.TryDecode("audio/x-raw", [0, 0x40, 0, 0xC0], sample, out _));
        Assert.Equal(255, sample.Max());
        Assert.Equal(0, sample[^1]);
    }

    [Fact]
    public void A_sample_buffer_of_another_length_is_the_callers_mistake()
    {
        var error = Assert.Throws<ArgumentException>(() => Decoder.TryDecode("audio/wav", Good, new byte[319], out _));
        Assert.StartsWith("The sample has 319 bytes; must be 320 (1 x 16 x 20).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_all_named_in_one_message()
    {
        var error = Assert.Throws<ArgumentException>(() => new SoundDecoder(new() { SampleRate = 3_999, WindowSeconds = double.NaN, Mels = 7, Frames = 257, MaxBytes = 0 }));
        Assert.StartsWith("Sound format: SampleRate is 3,999; must be 4,000 to 48,000. WindowSeconds is NaN; must be 0.1 to 30. Mels is 7; must be 8 to 256. Frames is 257; must be 8 to 256. MaxBytes is 0; must be 1 to 1,073,741,824.", error.Message, StringComparison.Ordinal);
        Assert.Equal(["HopSeconds is 1.5; must be 0.01 to 1."], new SoundFormatOptions { HopSeconds = 1.5 }.Problems());
        Assert.Equal(["HopSeconds is 0; must be 0.01 to 1."], new SoundFormatOptions { HopSeconds = 0 }.Problems());
        Assert.Empty(new SoundFormatOptions { WindowSeconds = 30, HopSeconds = 30 }.Problems());
        Assert.Equal(1.25, new SoundFormatOptions { WindowSeconds = 2.5 }.HopSeconds);
    }

    [Fact]
    public void Types_are_told_by_name_and_by_extension()
    {
        Assert.All(["audio/wav", "audio/x-wav", "audio/wave", "Audio/vnd.Wave;a=b"], type => Assert.True(SoundTypes.IsWav(type)));
        Assert.All(["audio/x-raw", "audio/wavelet", "audio/mpeg"], type => Assert.False(SoundTypes.IsWav(type)));
        Assert.True(SoundTypes.IsRaw(" AUDIO/X-RAW ; x"));
        Assert.True(SoundTypes.IsSound("audio/anything"));
        Assert.False(SoundTypes.IsSound("video/mp4"));
        Assert.Equal(["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/mp4"], new[] { "/a/b.WAV", "c.flac", "d.ogg", "e.x.mp3", "f.m4a" }.Select(SoundTypes.OfFile));
        Assert.Null(SoundTypes.OfFile("picture.png"));
        Assert.Null(SoundTypes.OfFile("wav"));
    }
}
