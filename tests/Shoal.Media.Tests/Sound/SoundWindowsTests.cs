using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class SoundWindowsTests
{
    private static readonly SoundFormatOptions Options = new() { SampleRate = 4_000, WindowSeconds = 1, HopSeconds = 0.5, Mels = 16, Frames = 16 };

    [Theory]
    [InlineData(2, new[] { 2 })]
    [InlineData(3_999, new[] { 3_999 })]
    [InlineData(4_000, new[] { 4_000 })]
    [InlineData(4_001, new[] { 4_000, 2_001 })] // 0-1 s, 0.5 s to the end
    [InlineData(6_000, new[] { 4_000, 4_000 })] // 0-1 s, 0.5-1.5 s: all is covered
    [InlineData(6_001, new[] { 4_000, 4_000, 2_001 })]
    [InlineData(10_000, new[] { 4_000, 4_000, 4_000, 4_000 })]
    public void Windows_begin_at_every_hop_until_all_is_covered(int length, int[] expected)
    {
        var windows = SoundWindows.Cut(TestSounds.Noise(length, seed: 1), Options);
        Assert.Equal(expected, windows.Select(w => (w.Wav.Length - 44) / 2));
        Assert.Equal(Enumerable.Range(0, expected.Length), windows.Select(w => w.Number));
        Assert.Equal(Enumerable.Range(0, expected.Length).Select(k => 0.5 * k), windows.Select(w => w.StartSeconds));
        Assert.All(windows, w => Assert.False(w.IsSilent));
    }

    [Fact]
    public void No_sound_has_no_windows() => Assert.Empty(SoundWindows.Cut([], Options));

    [Theory]
    [InlineData(16_000, 1, 0.1)]
    [InlineData(11_025, 0.7, 0.7)] // 7,717.5 values each
    [InlineData(16_000, 1.1, 1.1)] // 17,600.000000000004 in binary
    [InlineData(11_025, 0.3, 0.0333)]
    [InlineData(48_000, 0.1, 0.07)]
    public void Windows_hold_the_recording_at_their_places_and_decode(int rate, double seconds, double hop)
    {
        var options = new SoundFormatOptions { SampleRate = rate, WindowSeconds = seconds, HopSeconds = hop, Mels = 8, Frames = 8 };
        var decoder = new SoundDecoder(options);
        var recording = TestSounds.Noise((int)(2.345 * rate), seed: 9);
        var end = 0;
        foreach (var window in SoundWindows.Cut(recording, options))
        {
            Assert.True(SoundReader.TryRead(window.Wav, rate, seconds + 0.001, out var values, out _));

            var start = (int)Math.Round(window.StartSeconds * rate, MidpointRounding.AwayFromZero);
            Assert.InRange(start, 0, end);
            Assert.All(values.Index(), value => Assert.Equal(recording[start + value.Index], value.Item, 1 / 65_000f));
            end = start + values.Length;

            Assert.Null(decoder.Check("audio/wav", window.Wav));
            Assert.True(decoder.TryDecode("audio/wav", window.Wav, new byte[64], out _));
        }

        Assert.Equal(recording.Length, end);
    }

    [Fact]
    public void A_window_is_rounded_up_and_not_by_what_binary_adds()
    {
        Assert.Equal(7_718, new SoundFormatOptions { SampleRate = 11_025, WindowSeconds = 0.7 }.WindowLength);
        Assert.Equal(17_600, new SoundFormatOptions { WindowSeconds = 1.1 }.WindowLength);
    }

    [Fact]
    public void Starts_do_not_drift_where_a_hop_is_no_whole_number_of_values()
    {
        // 0.0333 s are 366.1325 values of 11,025 Hz: window 300 begins at 9.99 s, value 110,139.75; 300 x 366 would be 339 ms early.
        var options = new SoundFormatOptions { SampleRate = 11_025, WindowSeconds = 0.1, HopSeconds = 0.0333 };
        var recording = new float[120_000];
        recording[110_140] = 0.5f;
        var window = SoundWindows.Cut(recording, options)[300];
        Assert.Equal(9.99, window.StartSeconds, 1e-9);
        Assert.Equal([0, 0x40], window.Wav.AsSpan(44, 2).ToArray());
    }

    [Fact]
    public void Silent_windows_are_marked_and_are_those_that_the_decoder_refuses()
    {
        // The last second is below the threshold of 0.001, but 32.6 steps of 16 bits are stored as 33, which is above it.
        var faint = TestSounds.Tone(500, 4_000, 4_000, level: 32.6 / 32_768, phase: Math.PI / 2);
        float[] recording = [.. new float[8_000], .. TestSounds.Noise(4_000, seed: 2), .. new float[8_000], .. faint];
        var windows = SoundWindows.Cut(recording, Options);
        Assert.Equal([true, true, true, false, false, false, true, true, true, false, false], windows.Select(w => w.IsSilent));
        var decoder = new SoundDecoder(Options);
        Assert.All(windows, w => Assert.Equal(w.IsSilent, !decoder.TryDecode("audio/wav", w.Wav, new byte[256], out var problem) && problem!.Code is "silent"));
    }

    [Fact]
    public void Options_out_of_range_are_refused() => Assert.Throws<ArgumentException>(() => SoundWindows.Cut([1], new() { HopSeconds = 2 }));
}
