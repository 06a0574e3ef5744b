using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>A change of samples by a strength, that an embedding may have learnt to ignore.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unit">What strengths are measured in.</param>
/// <param name="Strengths">Those that are looked at, weakest first.</param>
public abstract record Transformation(string Name, string Unit, IReadOnlyList<double> Strengths)
{
    /// <summary>What it is a change of.</summary>
    internal IReadOnlyList<SampleKind> Suits { get; init; } = [SampleKind.Image, SampleKind.Sound];

    /// <summary>Whether it changes nothing but colours.</summary>
    internal virtual bool NeedsColour => false;

    /// <summary>Changes samples; for the compute thread.</summary>
    /// <param name="pixels">uint8, [count, C, H, W].</param>
    /// <param name="count">How many.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="strength">In <see cref="Unit"/>.</param>
    /// <returns>uint8, [count, C, H, W].</returns>
    public byte[] Apply(ReadOnlySpan<byte> pixels, int count, SampleShape shape, double strength)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (pixels.Length != count * shape.Size)
        {
            throw new ArgumentException($"{count} samples of {shape} have {count * shape.Size} bytes, not {pixels.Length}.", nameof(pixels));
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return (Change(TorchTensors.ToUnit(pixels, shape, CPU), strength).clamp(0, 1) * 255).round().to_type(ScalarType.Byte).ToArray<byte>();
    }

    /// <summary>Changes samples, in the scope of the caller.</summary>
    /// <param name="samples">[N, C, H, W], float32, 0 to 1.</param>
    /// <param name="strength">In <see cref="Unit"/>.</param>
    private protected abstract Tensor Change(Tensor samples, double strength);
}

/// <summary>The transformations that reports look at.</summary>
public static class Transformations
{
    // Spectrograms have nothing like a turn or a mirror: time goes forward, and frequencies do not turn into times.
    private static readonly Transformation[] All =
    [
        new Place("rotation", "degrees", [5, 15, 45, 90, 180], degrees => Turn(degrees * Math.PI / 180)) { Suits = [SampleKind.Image] },
        new Place("scale", "times", [0.5, 0.8, 1.25, 2], times => [1 / times, 0, 0, 0, 1 / times, 0]),
        new Place("shift across", "of the width", [0.05, 0.1, 0.2], share => [1, 0, -2 * share, 0, 1, 0]),
        new Place("shift down", "of the height", [0.05, 0.1, 0.2], share => [1, 0, 0, 0, 1, -2 * share]),
        new Place("mirror", "times", [1], _ => [-1, 0, 0, 0, 1, 0]) { Suits = [SampleKind.Image] },
        new Light("brightness", "times", [0.5, 0.75, 1.33, 2], (samples, times) => samples * times),
        new Light("contrast", "times", [0.5, 0.75, 1.33, 2], (samples, times) => Around(samples, samples.mean([1, 2, 3], keepdim: true), times)),
        new Light("noise", "of the range", [0.02, 0.05, 0.1], Noise),
        new Light("blur", "pixels", [0.5, 1, 2], Blur),
        new Colour("saturation", "times", [0, 0.5, 2], (samples, times) => Around(samples, Grey(samples), times)),
        new Colour("hue", "of the circle", [0.05, 0.1, 0.25, 0.5], Hue),
        .. WaveformTransformations.All,
    ];

    /// <summary>Those that change samples: grey ones have no colour, spectrograms cannot be turned, and waveforms have changes of their own.</summary>
    /// <param name="shape">Their shape.</param>
    /// <param name="kind">What they show.</param>
    public static IReadOnlyList<Transformation> Of(SampleShape shape, SampleKind kind = SampleKind.Image)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return [.. All.Where(transformation => (!transformation.NeedsColour || shape.Channels == 3) && transformation.Suits.Contains(kind))];
    }

    private static double[] Turn(double angle) => [Math.Cos(angle), -Math.Sin(angle), 0, Math.Sin(angle), Math.Cos(angle), 0];

    private static Tensor Around(Tensor samples, Tensor middle, double times) => ((samples - middle) * times) + middle;

    private static Tensor Noise(Tensor samples, double deviation)
    {
        // Always the same: two reports differ by the version alone.
        using var generator = new Generator(1);
        return samples + (randn(samples.shape, generator: generator) * deviation);
    }

    private static Tensor Blur(Tensor samples, double deviation)
    {
        var reach = (int)Math.Ceiling(3 * deviation);
        var places = arange(-reach, reach + 1, ScalarType.Float32);
        var row = (-places.square() / (2 * deviation * deviation)).exp();
        row = row / row.sum();
        var (channels, side) = (samples.shape[1], (2 * reach) + 1);
        var kernel = (row.view(-1, 1) * row.view(1, -1)).expand(channels, 1, side, side);
        return conv2d(pad(samples, [reach, reach, reach, reach], TorchSharp.PaddingModes.Replicate), kernel, groups: channels);
    }

    private static Tensor Grey(Tensor samples) => (samples * ColourMaps.Luma(CPU).view(1, 3, 1, 1)).sum(1, keepdim: true);

    private static Tensor Hue(Tensor samples, double share) => ColourMaps.Hue(full([1, 1, 1], (float)(2 * Math.PI * share))).matmul(samples.flatten(2)).view(samples.shape);

    // Where pixels come from: an affine map from places after to places before, both -1 to 1, by rows.
    private sealed record Place(string Name, string Unit, IReadOnlyList<double> Strengths, Func<double, double[]> Map) : Transformation(Name, Unit, Strengths)
    {
        private protected override Tensor Change(Tensor samples, double strength)
        {
            var map = tensor(Array.ConvertAll(Map(strength), value => (float)value)).view(1, 2, 3).expand(samples.shape[0], 2, 3);
            return grid_sample(samples, affine_grid(map, samples.shape, align_corners: false), GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        }
    }

    private record Light(string Name, string Unit, IReadOnlyList<double> Strengths, Func<Tensor, double, Tensor> Map) : Transformation(Name, Unit, Strengths)
    {
        private protected override Tensor Change(Tensor samples, double strength) => Map(samples, strength);
    }

    private sealed record Colour(string Name, string Unit, IReadOnlyList<double> Strengths, Func<Tensor, double, Tensor> Map) : Light(Name, Unit, Strengths, Map)
    {
        internal override bool NeedsColour => true;
    }
}
