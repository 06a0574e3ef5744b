using System.IO.Pipelines;
using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class SoundStreamsTests
{
    private static readonly SoundFormatOptions Options = new() { SampleRate = 8_000, WindowSeconds = 0.5, HopSeconds = 0.2, Mels = 16, Frames = 16 };

    [Theory]
    [InlineData(1)]
    [InlineData(1_600)]
    [InlineData(4_000)]
    [InlineData(4_001)]
    [InlineData(5_600)]
    [InlineData(20_123)]
    public async Task A_stream_has_the_windows_of_the_recording(int length)
    {
        var mono = TestSounds.Noise(length, seed: length);
        SoundWindow[] expected = [.. SoundWindows.Cut(mono, Options)];
        byte[] values = TestSounds.Encode(1, 16, mono);
        var format = TestSounds.Format(1, 16, 1, 8_000);
        byte[] list = TestSounds.Chunk("LIST", new byte[6_000]);
        byte[][] streams =
        [
            values,
            TestSounds.Wav(format, values),
            TestSounds.Riff(TestSounds.Unwritten, TestSounds.Chunk("fmt ", format), TestSounds.Chunk("data", values, TestSounds.Unwritten)),
            TestSounds.Riff(0, TestSounds.Chunk("LIST", [1, 2, 3]), TestSounds.Chunk("fmt ", format), TestSounds.Chunk("data", values, 0)),
            // What follows the sound is none.
            TestSounds.Riff(null, TestSounds.Chunk("fmt ", format), TestSounds.Chunk("data", values), list),
        ];
        foreach (byte[] stream in streams)
        {
            foreach (var piece in new[] { 7, 1 << 20 })
            {
                SoundWindow[] windows = await CutAsync(new Pieces(stream, piece));
                Assert.Equal(expected.Select(w => (w.Number, w.StartSeconds)), windows.Select(w => (w.Number, w.StartSeconds)));
                Assert.Equal(expected.Select(w => w.Wav.Length), windows.Select(w => w.Wav.Length));
                Assert.All(expected.Zip(windows), pair => Assert.True(Difference(pair.First.Wav, pair.Second.Wav) <= 1));
            }
        }

        // The control: a stream that goes on a little is told apart.
        SoundWindow[] longer = await CutAsync(new MemoryStream([.. values, 1, 2, 3, 4]));
        Assert.NotEqual(expected.Sum(w => w.Wav.Length), longer.Sum(w => w.Wav.Length));
    }

    [Fact]
    public async Task Another_rate_and_more_channels_become_the_dataset_s()
    {
        var stereo = TestSounds.Tone(500, 44_100, 44_100).SelectMany(v => new[] { v, v }).ToArray();
        SoundWindow[] windows = await CutAsync(new MemoryStream(TestSounds.Wav(TestSounds.Format(1, 24, 2, 44_100), TestSounds.Encode(1, 24, stereo))));

        Assert.Equal([0, 0.2, 0.4, 0.6], windows.Select(w => w.StartSeconds), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.All(windows.SkipLast(1), w => Assert.Equal(44 + (2 * 4_000), w.Wav.Length));
        foreach (SoundWindow window in windows)
        {
            Assert.True(SoundReader.TryRead(window.Wav, 8_000, 1, out var mono, out _));
            Assert.InRange(TestSounds.Level(mono), 0.34, 0.37);
        }
    }

    [Fact]
    public async Task A_window_comes_when_it_is_whole_and_silence_is_marked()
    {
        var pipe = new Pipe();
        await using var windows = SoundStreams.CutAsync(pipe.Reader.AsStream(), Options, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await pipe.Writer.WriteAsync(TestSounds.Encode(1, 16, TestSounds.Tone(500, 8_000, 4_000)), TestContext.Current.CancellationToken);
        Assert.True(await windows.MoveNextAsync());
        Assert.False(windows.Current.IsSilent);

        ValueTask<bool> next = windows.MoveNextAsync();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        await pipe.Writer.WriteAsync(new byte[2 * 4_000], TestContext.Current.CancellationToken);
        Assert.True(await next);
        await pipe.Writer.CompleteAsync();
        List<SoundWindow> rest = [];
        while (await windows.MoveNextAsync())
        {
            rest.Add(windows.Current);
        }

        Assert.True(rest[^1].IsSilent);
        Assert.Equal(1, rest[^1].StartSeconds + ((rest[^1].Wav.Length - 44) / 16_000.0), 6);
    }

    [Fact]
    public async Task What_begins_like_a_wav_and_is_none_says_so_and_nothing_is_no_window()
    {
        Assert.Empty(await CutAsync(new MemoryStream([])));
        Assert.Empty(await CutAsync(new MemoryStream([1])));
        byte[] good = TestSounds.Wav(TestSounds.Format(1, 16, 1, 8_000), new byte[8]);
        foreach (byte[] bad in new[] { good[..40], TestSounds.Wav(TestSounds.Format(0x55, 16, 1, 8_000), new byte[8]), TestSounds.Riff(null, TestSounds.Chunk("data", new byte[8])) })
        {
            Assert.NotEmpty((await Assert.ThrowsAsync<InvalidDataException>(() => CutAsync(new MemoryStream(bad)))).Message);
        }
    }

    private static Task<SoundWindow[]> CutAsync(Stream stream) => SoundStreams.CutAsync(stream, Options, TestContext.Current.CancellationToken).ToArrayAsync(TestContext.Current.CancellationToken).AsTask();

    // Integers become floats and integers again in one of two.
    private static int Difference(byte[] a, byte[] b) => Enumerable.Range(0, (a.Length - 44) / 2).Max(i => Math.Abs(BitConverter.ToInt16(a, 44 + (2 * i)) - BitConverter.ToInt16(b, 44 + (2 * i))));

    /// <summary>Gives a few bytes at a time, as a pipe may.</summary>
    private sealed class Pieces(byte[] bytes, int most) : MemoryStream(bytes, writable: false)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(most, buffer.Length)], cancellationToken);
    }
}
