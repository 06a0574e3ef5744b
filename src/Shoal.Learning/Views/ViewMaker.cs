using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Makes random views: the changes that must not change what a sample is.</summary>
/// <remarks>
/// Everything is batched: one affine resampling for all samples, each with its own transform, then brightness, contrast,
/// noise and an erased square. Colour samples are also mirrored, greyed and tinted (SimCLR, Chen et al. 2020, appendix A);
/// grey ones never are mirrored, since letters, digits and spectrograms would change their meaning.
/// </remarks>
public sealed class ViewMaker
{
    private readonly Options _options;
    private readonly SampleShape _shape;
    private readonly Device _device;

    /// <summary>With the strengths that suit the number of channels.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    public ViewMaker(SampleShape shape, Device device)
        : this(shape, device, shape?.Channels == 3 ? Options.Colour : Options.Grey)
    {
    }

    /// <summary>With given strengths.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    /// <param name="options">Strengths.</param>
    public ViewMaker(SampleShape shape, Device device, Options options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        (_shape, _device, _options) = (shape, device, options);
    }

    /// <summary>Strengths; lengths are fractions of a side.</summary>
    public sealed record Options
    {
        /// <summary>Largest rotation, degrees; 0 to 180.</summary>
        public double Rotation { get; init; } = 20;

        /// <summary>Smallest and largest side of the window that is shown; 0.1 to 2.</summary>
        public (double Least, double Most) Window { get; init; } = (0.75, 1.25);

        /// <summary>Height differs from width by 1 ± this; 0 to 0.5.</summary>
        public double Stretch { get; init; } = 0.1;

        /// <summary>Largest shear; 0 to 1.</summary>
        public double Shear { get; init; } = 0.3;

        /// <summary>Largest shift; 0 to 0.5.</summary>
        public double Shift { get; init; } = 0.12;

        /// <summary>Brightness and contrast are multiplied by 1 ± this; 0 to 1.</summary>
        public double Light { get; init; } = 0.3;

        /// <summary>Standard deviation of added noise, of a range of 0 to 1; 0 to 1.</summary>
        public double Noise { get; init; } = 0.05;

        /// <summary>Side of the erased square; 0 to 0.5.</summary>
        public double Erased { get; init; } = 0.18;

        /// <summary>How often a square is erased; 0 to 1.</summary>
        public double EraseChance { get; init; } = 0.5;

        /// <summary>How often a view is mirrored; 0 to 1.</summary>
        public double MirrorChance { get; init; }

        /// <summary>How often colour is taken away; 0 to 1.</summary>
        public double GreyChance { get; init; }

        /// <summary>Each channel is multiplied by 1 ± this; 0 to 1.</summary>
        public double Tint { get; init; }

        /// <summary>For one channel: the strengths that worked on digits.</summary>
        public static Options Grey { get; } = new();

        /// <summary>For three channels: crops, mirrors and colour instead of shears.</summary>
        public static Options Colour { get; } = new()
        {
            Rotation = 8,
            Window = (0.5, 1.0),
            Shear = 0.05,
            Shift = 0.2,
            Light = 0.4,
            Noise = 0.02,
            Erased = 0.25,
            MirrorChance = 0.5,
            GreyChance = 0.2,
            Tint = 0.2,
        };
    }

    /// <summary>One random view of each sample.</summary>
    /// <param name="samples">[N, C, H, W], float32, 0 to 1; not changed.</param>
    /// <param name="generator">Where randomness comes from.</param>
    /// <returns>[N, C, H, W], float32, 0 to 1 but for noise.</returns>
    /// <exception cref="ArgumentException">Another shape.</exception>
    public Tensor Make(Tensor samples, Generator generator)
    {
        if (samples.dim() != 4 || samples.shape[1] != _shape.Channels || samples.shape[2] != _shape.Height || samples.shape[3] != _shape.Width)
        {
            throw new ArgumentException($"Samples are {StepBatch.Text(samples)}; expected [N, {_shape.Channels}, {_shape.Height}, {_shape.Width}].", nameof(samples));
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var count = samples.shape[0];
        var grid = affine_grid(Transforms(count, generator), [count, _shape.Channels, _shape.Height, _shape.Width], align_corners: false);

        // What lies outside continues the border: black stays black, a photograph goes on.
        var views = grid_sample(samples, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        views = Light(views, generator);
        views.add_(randn(views.shape, generator: generator, device: _device), _options.Noise);
        return Erase(views, generator).MoveToOuterDisposeScope();
    }

    // [N, 2, 3]: from view coordinates to sample coordinates, both -1 to 1.
    private Tensor Transforms(long count, Generator generator)
    {
        var angle = Between(count, generator, -_options.Rotation, _options.Rotation) * (Math.PI / 180);
        var across = Between(count, generator, _options.Window.Least, _options.Window.Most);
        var down = across * Between(count, generator, 1 - _options.Stretch, 1 + _options.Stretch);
        var shear = Between(count, generator, -_options.Shear, _options.Shear);
        if (_options.MirrorChance > 0)
        {
            across = across * where(Between(count, generator, 0, 1).lt(_options.MirrorChance), -1f, 1f);
        }

        var (cos, sin) = (angle.cos(), angle.sin());
        var shiftX = Between(count, generator, -2 * _options.Shift, 2 * _options.Shift);
        var shiftY = Between(count, generator, -2 * _options.Shift, 2 * _options.Shift);
        return stack(
            [
                stack([cos * across, (shear * cos - sin) * down, shiftX], 1),
                stack([sin * across, (shear * sin + cos) * down, shiftY], 1),
            ],
            1);
    }

    private Tensor Light(Tensor views, Generator generator)
    {
        var count = views.shape[0];
        var contrast = Between(count, generator, 1 - _options.Light, 1 + _options.Light).view(-1, 1, 1, 1);
        if (_options.Tint > 0)
        {
            contrast = contrast * Between(count * _shape.Channels, generator, 1 - _options.Tint, 1 + _options.Tint).view(count, -1, 1, 1);
        }

        if (_options.GreyChance > 0)
        {
            var grey = views.mean([1], keepdim: true).expand_as(views);
            views = where(Between(count, generator, 0, 1).lt(_options.GreyChance).view(-1, 1, 1, 1), grey, views);
        }

        // Grey images are ink on paper: only their strength varies. Photographs also vary around their mean.
        if (_shape.Channels == 3)
        {
            var mean = views.mean([1, 2, 3], keepdim: true);
            var spread = Between(count, generator, 1 - _options.Light, 1 + _options.Light).view(-1, 1, 1, 1);
            views = ((views - mean) * spread) + mean;
        }

        return (views * contrast).clamp_(0, 1);
    }

    private Tensor Erase(Tensor views, Generator generator)
    {
        var count = views.shape[0];
        var half = _options.Erased / 2;
        var inX = Inside(count, _shape.Width, half, generator).view(-1, 1, 1, _shape.Width);
        var inY = Inside(count, _shape.Height, half, generator).view(-1, 1, _shape.Height, 1);
        var chosen = Between(count, generator, 0, 1).lt(_options.EraseChance).view(-1, 1, 1, 1);
        return views.masked_fill(inX.logical_and(inY).logical_and(chosen), 0);
    }

    // [N, side], bool: within half a length of a random centre.
    private Tensor Inside(long count, int side, double half, Generator generator)
    {
        var centre = Between(count, generator, 0, 1).unsqueeze(1);
        var places = (arange(side, dtype: ScalarType.Float32, device: _device) + 0.5) / side;
        return (places.unsqueeze(0) - centre).abs().lt(half);
    }

    private Tensor Between(long count, Generator generator, double least, double most)
        => (rand([count], generator: generator, device: _device) * (most - least)) + least;
}
