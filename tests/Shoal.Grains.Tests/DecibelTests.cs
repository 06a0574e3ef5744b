using Shoal.Contracts;
using Shoal.Fakes;
using Shoal.Grains.Compute;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Media;
using static TorchSharp.torch;

namespace Shoal.Grains.Tests;

/// <summary>What draws spectrograms and what changes them do not know each other.</summary>
public sealed class DecibelTests
{
    private const double Decibels = 20;

    private static readonly DatasetSettings Settings = new() { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, WindowSeconds = 1 };

    [Fact]
    public void Spectrograms_and_their_views_mean_the_same_by_a_decibel()
    {
        // A tone whose second half is 20 dB quieter.
        double[] values = [.. Enumerable.Range(0, 8_000).Select(i => Math.Sin(2 * Math.PI * 1_000 * i / 8_000) * 0.5 * (i < 4_000 ? 1 : Math.Pow(10, -Decibels / 20)))];
        ISampleDecoder decoder = MediaSettings.Decoder(Settings);
        var sample = new byte[decoder.SampleBytes];
        Assert.True(decoder.TryDecode("audio/wav", Recordings.Wav(8_000, values), sample, out var problem), problem?.ToString());
        int Loudest(int column) => Enumerable.Range(0, 32).Max(row => sample[(row * 32) + column]);
        var drawn = (Loudest(8) - Loudest(24)) / 255.0;

        // Of so many gains the largest is nearly the largest there is.
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var views = new SoundViews(LearnerSettings.Shape(Settings), CPU, SoundViews.Options.None with { Gain = Decibels });
        var changed = views.Make(full([2_000, 1, 32, 32], 0.4f), generator).max().item<float>() - 0.4;
        Assert.InRange(changed / drawn, 0.98, 1.02);
    }
}
