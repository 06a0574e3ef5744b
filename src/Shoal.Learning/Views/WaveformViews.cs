using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Makes random views of waveforms: the changes that must not change what is heard.</summary>
/// <remarks>
/// Samples are companded, and changed as pressure. In this order, all batched, each sample with draws of its own: another sample in the background, at a ratio of power (as Kharitonov et al. 2021,
/// "Data Augmenting Contrastive Learning of Speech Representations in the Time Domain", section 3, adds noise); another speed, which is another pitch, and a shift in time, behind which there is silence; a
/// stretch of it, around which there is silence; a filter over the bands (the same, there band reject); white noise; gain, where what exceeds full scale is cut off, as by an overdriven recorder; and
/// the other polarity, as of a microphone that is wired the other way about.
/// </remarks>
public sealed class WaveformViews : IViewMaker
{
    // Bands whose gain is drawn, from no frequency to half the rate.
    private const int FilterPoints = 8;

    // Of a sample without any sound.
    private const double LeastPower = 1e-12;

    private readonly Options _options;
    private readonly SampleShape _shape;
    private readonly Device _device;

    /// <summary>With default strengths.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    public WaveformViews(SampleShape shape, Device device)
        : this(shape, device, new Options())
    {
    }

    /// <summary>With given strengths.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    /// <param name="options">Strengths.</param>
    public WaveformViews(SampleShape shape, Device device, Options options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        (_shape, _device, _options) = (shape, device, options);
    }

    /// <summary>Strengths; lengths are fractions of a sample, ratios are decibels of power.</summary>
    public sealed record Options
    {
        /// <summary>How often another sample is heard in the background; 0 to 1.</summary>
        public double BackgroundChance { get; init; } = 0.5;

        /// <summary>How far the background is below the sample, least and most; 0 to 60.</summary>
        public (double Least, double Most) Background { get; init; } = (5, 20);

        /// <summary>Slowest and fastest; 0.5 to 2. Pitch goes with it.</summary>
        public (double Least, double Most) Speed { get; init; } = (0.85, 1.18);

        /// <summary>Farthest shift in time; 0 to 0.5.</summary>
        public double Shift { get; init; } = 0.1;

        /// <summary>Shortest stretch that is heard; above 0, at most 1.</summary>
        public double Stretch { get; init; } = 0.8;

        /// <summary>Largest gain or loss of single bands, decibels; 0 to 40.</summary>
        public double Filter { get; init; } = 6;

        /// <summary>How often there is white noise; 0 to 1.</summary>
        public double NoiseChance { get; init; } = 0.5;

        /// <summary>How far the noise is below the sample, least and most; 0 to 80.</summary>
        public (double Least, double Most) Noise { get; init; } = (15, 40);

        /// <summary>Largest gain or loss, decibels; 0 to 40. Full scale cuts off what exceeds it.</summary>
        public double Gain { get; init; } = 6;

        /// <summary>How often up and down change places; 0 to 1.</summary>
        public double FlipChance { get; init; } = 0.5;

        /// <summary>Views that are the samples, to begin from when some changes alone are wanted.</summary>
        public static Options None { get; } = new()
        {
            BackgroundChance = 0,
            Speed = (1, 1),
            Shift = 0,
            Stretch = 1,
            Filter = 0,
            NoiseChance = 0,
            Gain = 0,
            FlipChance = 0,
        };
    }

    /// <inheritdoc/>
    public Tensor Make(Tensor samples, Generator generator)
    {
        ViewMakers.Check(samples, _shape);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var heard = MuLaw.OfSamples(samples).flatten(1);
        var count = heard.shape[0];
        if (_options.BackgroundChance > 0 && count > 1)
        {
            // Any other sample of the batch is what else is heard.
            var other = (arange(count, ScalarType.Int64, _device) + 1 + (Between(count, generator, 0, 1) * (count - 1)).floor().to_type(ScalarType.Int64)) % count;
            heard = Mixed(heard, heard.index_select(0, other), Ratio(count, generator, _options.Background, _options.BackgroundChance));
        }

        if (_options.Speed != (1, 1) || _options.Shift > 0)
        {
            heard = Moved(heard, Between(count, generator, _options.Speed.Least, _options.Speed.Most), Between(count, generator, -_options.Shift, _options.Shift));
        }

        if (_options.Stretch < 1)
        {
            heard = heard * Kept(count, generator);
        }

        if (_options.Filter > 0)
        {
            heard = Filtered(heard, Between(count * FilterPoints, generator, -_options.Filter, _options.Filter).view(-1, FilterPoints));
        }

        if (_options.NoiseChance > 0)
        {
            heard = Mixed(heard, randn(heard.shape, generator: generator, device: _device), Ratio(count, generator, _options.Noise, _options.NoiseChance));
        }

        // At full scale, where louder, as the decoder brings windows to it.
        heard = heard / heard.abs().amax([1], keepdim: true).clamp_min(1);
        if (_options.Gain > 0)
        {
            heard = heard * Amplitude(Between(count, generator, -_options.Gain, _options.Gain)).unsqueeze(1);
        }

        if (_options.FlipChance > 0)
        {
            heard = heard * (1 - (2 * Between(count, generator, 0, 1).lt(_options.FlipChance).to_type(ScalarType.Float32))).unsqueeze(1);
        }

        return MuLaw.ToSamples(heard).view(samples.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Two sounds at once, the second so many decibels below the first.</summary>
    /// <param name="heard">[N, T], pressure.</param>
    /// <param name="others">[N, T], pressure.</param>
    /// <param name="ratio">Decibels, [N]; infinity for none of the other.</param>
    /// <returns>[N, T].</returns>
    internal static Tensor Mixed(Tensor heard, Tensor others, Tensor ratio)
    {
        using var scope = NewDisposeScope();
        var levels = Power(heard) / Power(others).clamp_min(LeastPower);
        return (heard + (others * levels.sqrt() * Amplitude(-ratio).unsqueeze(1))).MoveToOuterDisposeScope();
    }

    /// <summary>Another speed about the middle, and a shift; silence comes in at the ends. Between values it is interpolated in straight lines.</summary>
    /// <param name="heard">[N, T], pressure.</param>
    /// <param name="speed">Above 1 faster, [N].</param>
    /// <param name="shift">Fractions of the sample, later above 0, [N].</param>
    /// <returns>[N, T].</returns>
    internal static Tensor Moved(Tensor heard, Tensor speed, Tensor shift)
    {
        using var scope = NewDisposeScope();
        var none = zeros_like(speed);
        var map = stack([stack([speed, none, speed * shift * -2], 1), stack([none, ones_like(speed), none], 1)], 1);
        var picture = heard.view(heard.shape[0], 1, 1, -1);
        return grid_sample(picture, affine_grid(map, picture.shape, align_corners: false), GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false)
            .reshape(heard.shape).MoveToOuterDisposeScope();
    }

    /// <summary>A filter without delay, whose gain runs straight over frequency between a few points.</summary>
    /// <param name="heard">[N, T], pressure.</param>
    /// <param name="gains">Decibels, [N, points], the first of no frequency, the last of half the rate.</param>
    /// <returns>[N, T].</returns>
    internal static Tensor Filtered(Tensor heard, Tensor gains)
    {
        using var scope = NewDisposeScope();
        var spectrum = fft.rfft(heard);
        var points = gains.shape[1];
        var places = linspace(0, points - 1, spectrum.shape[1], device: heard.device).unsqueeze(0) - arange(points, ScalarType.Float32, heard.device).unsqueeze(1);
        var factors = Amplitude(gains.matmul((1 - places.abs()).clamp_min(0)));
        return fft.irfft(spectrum * factors, heard.shape[1]).MoveToOuterDisposeScope();
    }

    // [N, 1].
    private static Tensor Power(Tensor heard) => heard.square().mean([1], keepdim: true);

    private static Tensor Amplitude(Tensor decibels) => (decibels * (Math.Log(10) / 20)).exp();

    // [N, T]: 1 in a random stretch, 0 around it.
    private Tensor Kept(long count, Generator generator)
    {
        var length = (Between(count, generator, _options.Stretch, 1) * _shape.Width).round();
        var start = (Between(count, generator, 0, 1) * (_shape.Width - length + 1)).floor();
        var places = arange(_shape.Width, ScalarType.Float32, _device).unsqueeze(0) - start.unsqueeze(1);
        return places.ge(0).logical_and(places.lt(length.unsqueeze(1))).to_type(ScalarType.Float32);
    }

    // [N], decibels, infinite where there is nothing to be mixed in.
    private Tensor Ratio(long count, Generator generator, (double Least, double Most) range, double chance)
        => Between(count, generator, range.Least, range.Most).masked_fill(Between(count, generator, 0, 1).ge(chance), float.PositiveInfinity);

    private Tensor Between(long count, Generator generator, double least, double most) => ViewMakers.Between(count, generator, least, most, _device);
}
