using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Makes random views of spectrograms: the changes that must not change what is heard.</summary>
/// <remarks>
/// Samples are log-mel spectrograms, row 0 the highest band, columns time, 0 to 1 for 40 dB, so that a gain of g dB adds g/40. In this order, all batched, each sample with draws of its own:
/// another sample in the background, log((1 - a)·exp x + a·exp y), and a random window, resized to the whole sample, that may reach beyond it (both BYOL-A: Niizumi et al. 2021, "BYOL for
/// Audio", section III; here x and y are true logarithms of power, and what is beyond goes on as the border does); a shift in time, behind which there is silence; gain, and a
/// filter's (FilterAugment, its linear kind: Nam et al. 2022); a noise floor, whose power is added; masked times and bands (SpecAugment: Park et al. 2019, section 2). Nothing is mirrored: time runs one way, and bands are not alike.
/// </remarks>
public sealed class SoundViews : IViewMaker
{
    // Samples reach over so many decibels.
    private const double Range = 40;

    // Bands whose gain is drawn, from the highest to the lowest; FilterAugment has three to six at random places.
    private const int FilterPoints = 6;

    // A sample's range in natural logarithms of power.
    private static readonly double LogPower = Range / 10 * Math.Log(10);

    private readonly Options _options;
    private readonly SampleShape _shape;
    private readonly Device _device;

    /// <summary>With default strengths.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    public SoundViews(SampleShape shape, Device device)
        : this(shape, device, new Options())
    {
    }

    /// <summary>With given strengths.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    /// <param name="options">Strengths.</param>
    public SoundViews(SampleShape shape, Device device, Options options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        (_shape, _device, _options) = (shape, device, options);
    }

    /// <summary>Strengths; lengths are fractions of a side, levels are below the loudest cell.</summary>
    public sealed record Options
    {
        /// <summary>Largest share of power that the background has; 0 to 0.5.</summary>
        /// <value>0.4, the paper's.</value>
        public double Background { get; init; } = 0.4;

        /// <summary>Shortest and longest time that the window shows: below 1 what is heard is slower, above it faster; 0.1 to 2.</summary>
        public (double Least, double Most) Time { get; init; } = (0.6, 1.5);

        /// <summary>How far the window may reach in time, around the sample's middle; 1 to 2. One that is longer lies in the middle.</summary>
        public double Boundary { get; init; } = 1.5;

        /// <summary>Lowest and highest share of the bands that the window shows; 0.5 to 1.5.</summary>
        public (double Least, double Most) Bands { get; init; } = (0.8, 1.2);

        /// <summary>Farthest that the window's middle lies above or below the sample's; 0 to 0.5.</summary>
        public double Pitch { get; init; } = 0.1;

        /// <summary>Farthest shift in time, in whole frames; 0 to 0.5.</summary>
        public double Shift { get; init; } = 0.1;

        /// <summary>Largest gain or loss, decibels; 0 to 40. What falls below the range is silent.</summary>
        public double Gain { get; init; } = 6;

        /// <summary>Largest gain or loss of single bands, decibels, as microphones, rooms and voices differ; 0 to 40.</summary>
        public double Filter { get; init; } = 12;

        /// <summary>How often there is a noise floor; 0 to 1.</summary>
        public double FloorChance { get; init; } = 0.8;

        /// <summary>Quietest and loudest noise floor, decibels; -40 to 0.</summary>
        public (double Least, double Most) Floor { get; init; } = (-40, -15);

        /// <summary>Standard deviation of its cells, decibels; 0 to 20.</summary>
        public double Grain { get; init; } = 3;

        /// <summary>How many times are masked, and how many ranges of bands; 0 to 4.</summary>
        public int Masks { get; init; } = 1;

        /// <summary>Longest masked time; 0 to 0.5.</summary>
        public double TimeMask { get; init; } = 0.2;

        /// <summary>Widest masked range of bands; 0 to 0.5.</summary>
        public double BandMask { get; init; } = 0.2;

        /// <summary>Those for sounds that pitch and timbre tell apart, such as drums, machines and birds: a voice's differences are weaker.</summary>
        public static Options Timbre { get; } = new() { Bands = (0.9, 1.1), Pitch = 0.05, Filter = 6, FloorChance = 0.5, Floor = (-40, -20) };

        /// <summary>BYOL-A's own: a background, and a window of 0.6 to 1.5 of time and bands.</summary>
        public static Options ByolA { get; } = new() { Bands = (0.6, 1.5), Shift = 0, Gain = 0, Filter = 0, FloorChance = 0, Masks = 0 };

        /// <summary>Views that are the samples, to begin from when some changes alone are wanted.</summary>
        public static Options None { get; } = new()
        {
            Background = 0,
            Time = (1, 1),
            Boundary = 1,
            Bands = (1, 1),
            Pitch = 0,
            Shift = 0,
            Gain = 0,
            Filter = 0,
            FloorChance = 0,
            Masks = 0,
        };
    }

    /// <inheritdoc/>
    public Tensor Make(Tensor samples, Generator generator)
    {
        ViewMakers.Check(samples, _shape);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var views = Window(_options.Background > 0 && samples.shape[0] > 1 ? Mix(samples, generator) : samples, generator);
        if (_options.Gain > 0 || _options.Filter > 0)
        {
            views = (views + Cells(Between(views.shape[0], generator, -_options.Gain, _options.Gain) / Range) + Filters(views.shape[0], generator)).clamp_min_(0);
        }

        if (_options.FloorChance > 0)
        {
            views = AddFloor(views, generator);
        }

        for (var mask = 0; mask < _options.Masks; mask++)
        {
            views.masked_fill_(Masked(views.shape[0], _shape.Width, _options.TimeMask, generator).view(-1, 1, 1, _shape.Width), 0);
            views.masked_fill_(Masked(views.shape[0], _shape.Height, _options.BandMask, generator).view(-1, 1, _shape.Height, 1), 0);
        }

        return views.MoveToOuterDisposeScope();
    }

    /// <summary>Two sounds at once, in power: log((1 - a)·exp x + a·exp y).</summary>
    /// <param name="samples">x, [N, 1, mels, frames], 1.0 for 40 dB.</param>
    /// <param name="others">y, as many.</param>
    /// <param name="share">a, [N, 1, 1, 1], 0 to 1.</param>
    /// <returns>[N, 1, mels, frames], 1.0 for 40 dB.</returns>
    internal static Tensor Mixed(Tensor samples, Tensor others, Tensor share)
    {
        using var scope = NewDisposeScope();
        return Sum(samples + ((1 - share).log() / LogPower), others + (share.log() / LogPower)).MoveToOuterDisposeScope();
    }

    // The logarithm of the sum of two powers, as samples are.
    private static Tensor Sum(Tensor a, Tensor b) => logaddexp(a * LogPower, b * LogPower).div_(LogPower);

    // Any other sample of the batch is what else is heard.
    private Tensor Mix(Tensor samples, Generator generator)
    {
        var count = samples.shape[0];
        var other = (arange(count, ScalarType.Int64, _device) + 1 + (Between(count, generator, 0, 1) * (count - 1)).floor().to_type(ScalarType.Int64)) % count;
        return Mixed(samples, samples.index_select(0, other), Cells(Between(count, generator, 0, _options.Background)));
    }

    // The window, and behind the shift silence: one resampling.
    private Tensor Window(Tensor samples, Generator generator)
    {
        var count = samples.shape[0];
        var (across, down) = (Between(count, generator, _options.Time.Least, _options.Time.Most), Between(count, generator, _options.Bands.Least, _options.Bands.Most));
        var x = Between(count, generator, -1, 1) * (_options.Boundary - across).clamp_min(0);
        var y = Between(count, generator, -2 * _options.Pitch, 2 * _options.Pitch);
        var frames = (Between(count, generator, -_options.Shift, _options.Shift) * _shape.Width).round();

        // From view coordinates to sample coordinates, both -1 to 1: [N, 2, 3].
        var none = zeros_like(x);
        var map = stack([stack([across, none, x - (across * frames * (2.0 / _shape.Width))], 1), stack([none, down, y], 1)], 1);
        var grid = affine_grid(map, samples.shape, align_corners: false);
        var views = grid_sample(samples, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        var before = arange(_shape.Width, ScalarType.Float32, _device).unsqueeze(0) - frames.unsqueeze(1);
        return views.masked_fill_(before.lt(0).logical_or(before.ge(_shape.Width)).view(-1, 1, 1, _shape.Width), 0);
    }

    // [N, 1, mels, 1]: what each band gains, straight between a few of them.
    private Tensor Filters(long count, Generator generator)
    {
        var points = Between(count * FilterPoints, generator, -_options.Filter, _options.Filter).view(-1, FilterPoints) / Range;
        var places = linspace(0, FilterPoints - 1, _shape.Height, device: _device).unsqueeze(0) - arange(FilterPoints, ScalarType.Float32, _device).unsqueeze(1);
        return points.matmul((1 - places.abs()).clamp_min(0)).view(-1, 1, _shape.Height, 1);
    }

    private Tensor AddFloor(Tensor views, Generator generator)
    {
        var count = views.shape[0];
        var level = (Between(count, generator, _options.Floor.Least, _options.Floor.Most) / Range) + 1;

        // No power is a logarithm of minus infinity.
        level = level.masked_fill(Between(count, generator, 0, 1).ge(_options.FloorChance), float.NegativeInfinity);
        return Sum(views, Cells(level) + (randn(views.shape, generator: generator, device: _device) * (_options.Grain / Range)));
    }

    // [N, side], bool: a random stretch of at most that share of the side.
    private Tensor Masked(long count, int side, double most, Generator generator)
    {
        var length = (Between(count, generator, 0, 1) * (Math.Floor(most * side) + 1)).floor();
        var start = (Between(count, generator, 0, 1) * (side - length + 1)).floor();
        var places = arange(side, ScalarType.Float32, _device).unsqueeze(0) - start.unsqueeze(1);
        return places.ge(0).logical_and(places.lt(length.unsqueeze(1)));
    }

    // [N] -> [N, 1, 1, 1].
    private static Tensor Cells(Tensor values) => values.view(-1, 1, 1, 1);

    private Tensor Between(long count, Generator generator, double least, double most) => ViewMakers.Between(count, generator, least, most, _device);
}
