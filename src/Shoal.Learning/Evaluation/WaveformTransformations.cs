using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>The transformations of waveforms that reports look at, each of pressure.</summary>
internal static class WaveformTransformations
{
    // Between a filter's corner and where it lets nothing through; a hundredth of the spectrum.
    private const int FilterPoints = 101;

    // Nothing is left of a band: 80 dB, as far as spectrograms reach.
    private const float Stopped = -80;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Transformation> All { get; } =
    [
        new Heard("gain", "decibels", [-6, -12, 6], (heard, decibels) => heard * Math.Pow(10, decibels / 20)),
        new Heard("polarity", "times", [-1], (heard, times) => heard * times),
        new Heard("shift in time", "of the window", [0.05, 0.1, 0.2], (heard, share) => WaveformViews.Moved(heard, Same(heard, 1), Same(heard, share))),
        new Heard("speed", "times", [0.9, 1.1, 0.8, 1.25], (heard, times) => WaveformViews.Moved(heard, Same(heard, times), Same(heard, 0))),
        new Heard("white noise", "decibels below", [40, 20, 10], Noise),
        new Heard("low-pass", "of the spectrum", [0.5, 0.25, 0.1], LowPass),
    ];

    // [N], one number for all.
    private static Tensor Same(Tensor heard, double value) => full([heard.shape[0]], (float)value);

    private static Tensor Noise(Tensor heard, double decibels)
    {
        // Always the same: two reports differ by the version alone.
        using var generator = new Generator(1);
        return WaveformViews.Mixed(heard, randn(heard.shape, generator: generator), Same(heard, decibels));
    }

    private static Tensor LowPass(Tensor heard, double share)
    {
        var gains = Enumerable.Range(0, FilterPoints).Select(point => point <= share * (FilterPoints - 1) ? 0 : Stopped);
        return WaveformViews.Filtered(heard, tensor(gains.ToArray()).unsqueeze(0).expand(heard.shape[0], FilterPoints));
    }

    private sealed record Heard : Transformation
    {
        private readonly Func<Tensor, double, Tensor> _map;

        public Heard(string name, string unit, IReadOnlyList<double> strengths, Func<Tensor, double, Tensor> map)
            : base(name, unit, strengths) => (_map, Suits) = (map, [SampleKind.Waveform]);

        private protected override Tensor Change(Tensor samples, double strength) => MuLaw.ToSamples(_map(MuLaw.OfSamples(samples).flatten(1), strength)).view(samples.shape);
    }
}
