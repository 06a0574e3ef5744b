using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Makes random views of images: the changes that must not change what they show.</summary>
/// <remarks>
/// Everything is batched: one affine resampling for all samples, each with its own transform, then brightness, contrast,
/// noise and an erased rectangle (Zhong et al. 2020, "Random Erasing Data Augmentation", with a fifth of the area at most).
/// Colour samples get what SimCLR gives photographs (Chen et al. 2020, appendix A): crops, mirrors, and changes of
/// brightness, contrast, saturation and hue, all of one sample's together one affine map of its colours. Grey ones never
/// are mirrored, since letters and digits would change their meaning.
/// </remarks>
public sealed class ViewMaker : IViewMaker
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

        /// <summary>Whether the window lies anywhere inside the sample instead of being shifted by at most <see cref="Shift"/>.</summary>
        public bool Crop { get; init; }

        /// <summary>Brightness and contrast are multiplied by 1 ± this; 0 to 1.</summary>
        public double Light { get; init; } = 0.3;

        /// <summary>Standard deviation of added noise, of a range of 0 to 1; 0 to 1.</summary>
        public double Noise { get; init; } = 0.05;

        /// <summary>Smallest and largest share of a view that a rectangle erases; 0 to 0.5.</summary>
        public (double Least, double Most) Erased { get; init; } = (0.02, 0.2);

        /// <summary>How many times as long as high, or high as long, that rectangle is at most; 1 to 10.</summary>
        public double EraseAspect { get; init; } = 3;

        /// <summary>How often one is erased; 0 to 1.</summary>
        public double EraseChance { get; init; } = 0.5;

        /// <summary>How often a view is mirrored; 0 to 1.</summary>
        public double MirrorChance { get; init; }

        /// <summary>How often colour is taken away; 0 to 1.</summary>
        public double GreyChance { get; init; }

        /// <summary>How often the light of a colour sample changes at all, and its colours; 0 to 1.</summary>
        public double JitterChance { get; init; } = 1;

        /// <summary>Saturation is multiplied by 1 ± this; 0 to 1.</summary>
        public double Saturation { get; init; }

        /// <summary>Largest turn of hue, of a full circle; 0 to 0.5.</summary>
        public double Hue { get; init; }

        /// <summary>How often a view is blurred; 0 to 1.</summary>
        public double BlurChance { get; init; }

        /// <summary>Least and largest standard deviation of the blur, of the longer side; 0.001 to 0.1.</summary>
        /// <value>0.003 to 0.02. SimCLR's 2 of 224 pixels are 0.009, which changes nothing of 32.</value>
        public (double Least, double Most) Blur { get; init; } = (0.003, 0.02);

        /// <summary>For one channel: the strengths that worked on digits.</summary>
        public static Options Grey { get; } = new();

        /// <summary>For three channels: SimCLR's strengths for CIFAR-10, where a crop shows a fifth of the area at least.</summary>
        public static Options Colour { get; } = new()
        {
            Rotation = 0,
            Window = (0.45, 1.0),
            Stretch = 0.25,
            Shear = 0,
            Crop = true,
            Light = 0.4,
            Noise = 0,
            EraseChance = 0,
            MirrorChance = 0.5,
            GreyChance = 0.2,
            JitterChance = 0.8,
            Saturation = 0.4,
            Hue = 0.1,
        };

        /// <summary>For larger photographs, grey or in colour: half of the views are blurred, too, as SimCLR does for ImageNet.</summary>
        public static Options Photograph { get; } = Colour with
        {
            BlurChance = 0.5,
        };
    }

    /// <inheritdoc/>
    public Tensor Make(Tensor samples, Generator generator)
    {
        ViewMakers.Check(samples, _shape);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var count = samples.shape[0];
        var grid = affine_grid(Transforms(count, generator), [count, _shape.Channels, _shape.Height, _shape.Width], align_corners: false);

        // What lies outside continues the border: black stays black, a photograph goes on.
        var views = grid_sample(samples, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        views = _shape.Channels == 3 ? Colours(views, generator) : Light(views, generator);
        if (_options.BlurChance > 0)
        {
            views = Blur(views, generator);
        }

        if (_options.Noise > 0)
        {
            views.add_(randn(views.shape, generator: generator, device: _device), _options.Noise);
        }

        return (_options.EraseChance > 0 ? Erase(views, generator) : views).MoveToOuterDisposeScope();
    }

    // [N, 2, 3]: from view coordinates to sample coordinates, both -1 to 1.
    private Tensor Transforms(long count, Generator generator)
    {
        var angle = Between(count, generator, -_options.Rotation, _options.Rotation) * (Math.PI / 180);
        var across = Between(count, generator, _options.Window.Least, _options.Window.Most);
        var down = across * Between(count, generator, 1 - _options.Stretch, 1 + _options.Stretch);
        if (_options.Crop)
        {
            // Nothing is left to shift where the window is as long as the sample.
            (across, down) = (across.clamp_max(1), down.clamp_max(1));
        }

        var shear = Between(count, generator, -_options.Shear, _options.Shear);
        if (_options.MirrorChance > 0)
        {
            across = across * where(Between(count, generator, 0, 1).lt(_options.MirrorChance), -1f, 1f);
        }

        var (cos, sin) = (angle.cos(), angle.sin());
        var shiftX = Shift(across, generator);
        var shiftY = Shift(down, generator);
        return stack(
            [
                stack([cos * across, (shear * cos - sin) * down, shiftX], 1),
                stack([sin * across, (shear * sin + cos) * down, shiftY], 1),
            ],
            1);
    }

    // [N]: where the middle of a window of these lengths, [N], is; samples reach from -1 to 1.
    private Tensor Shift(Tensor length, Generator generator) => _options.Crop
        ? Between(length.shape[0], generator, -1, 1) * (1 - length.abs())
        : Between(length.shape[0], generator, -2 * _options.Shift, 2 * _options.Shift);

    // Grey images are ink on paper: only their strength varies.
    private Tensor Light(Tensor views, Generator generator)
        => (views * Factor(views.shape[0], generator, _options.Light)).clamp_(0, 1);

    // Hue, saturation, brightness and contrast are affine in a pixel's colour: one map of colours, [N, 3, 3], and one offset.
    private Tensor Colours(Tensor views, Generator generator)
    {
        var count = views.shape[0];
        var chosen = Between(count, generator, 0, 1).lt(_options.JitterChance).to_type(ScalarType.Float32).view(-1, 1, 1);
        Tensor Jitter(double strength) => ((Factor(count, generator, strength).view(-1, 1, 1) - 1) * chosen) + 1;
        var (brightness, contrast, saturation) = (Jitter(_options.Light), Jitter(_options.Light), Jitter(_options.Saturation));
        saturation = saturation * Between(count, generator, 0, 1).ge(_options.GreyChance).to_type(ScalarType.Float32).view(-1, 1, 1);
        var turn = Between(count, generator, -_options.Hue, _options.Hue).view(-1, 1, 1) * chosen * (2 * Math.PI);

        var luma = ColourMaps.Luma(_device).view(1, 1, 3);
        var (same, grey) = (eye(3, device: _device).unsqueeze(0), luma.expand(1, 3, 3));
        var map = ((saturation * same) + ((1 - saturation) * grey)).matmul(ColourMaps.Hue(turn)) * brightness;

        // Contrast is around the view's mean grey.
        var pixels = views.flatten(2);
        var middle = luma.matmul(map.matmul(pixels.mean([2], keepdim: true)));
        return (map * contrast).matmul(pixels).add_((1 - contrast) * middle).clamp_(0, 1).view(views.shape);
    }

    // [N, 1, 1, 1], 1 ± strength.
    private Tensor Factor(long count, Generator generator, double strength) => Between(count, generator, 1 - strength, 1 + strength).view(-1, 1, 1, 1);

    // A Gaussian of each view's own width, first along rows, then along columns; beyond the border it goes on.
    private Tensor Blur(Tensor views, Generator generator)
    {
        var (count, side) = (views.shape[0], Math.Max(_shape.Height, _shape.Width));
        var deviation = Between(count, generator, _options.Blur.Least * side, _options.Blur.Most * side).unsqueeze(1);
        var reach = (int)Math.Ceiling(2 * _options.Blur.Most * side);
        var places = arange(-reach, reach + 1, ScalarType.Float32, _device).unsqueeze(0);
        var weights = (-places.square() / (2 * deviation.square())).exp();

        // One that is not chosen keeps its pixels.
        weights = where(Between(count, generator, 0, 1).lt(_options.BlurChance).unsqueeze(1), weights / weights.sum(1, keepdim: true), places.eq(0).to_type(ScalarType.Float32));
        return Along(Along(views, 3, weights, [reach, reach, 0, 0]), 2, weights, [0, 0, reach, reach]);

        static Tensor Along(Tensor views, int axis, Tensor weights, long[] beyond)
        {
            var (wide, length) = (pad(views, beyond, TorchSharp.PaddingModes.Replicate), views.shape[axis]);
            return Enumerable.Range(0, (int)weights.shape[1]).Aggregate(zeros_like(views), (sum, i) => sum.addcmul_(wide.narrow(axis, i, length), weights.narrow(1, i, 1).view(-1, 1, 1, 1), 1));
        }
    }

    private Tensor Erase(Tensor views, Generator generator)
    {
        var count = views.shape[0];
        var area = Between(count, generator, _options.Erased.Least, _options.Erased.Most);
        var aspect = Between(count, generator, -Math.Log(_options.EraseAspect), Math.Log(_options.EraseAspect)).exp();
        var inX = Inside((area * aspect).sqrt(), _shape.Width, generator).view(-1, 1, 1, _shape.Width);
        var inY = Inside((area / aspect).sqrt(), _shape.Height, generator).view(-1, 1, _shape.Height, 1);
        var chosen = Between(count, generator, 0, 1).lt(_options.EraseChance).view(-1, 1, 1, 1);
        return views.masked_fill(inX.logical_and(inY).logical_and(chosen), 0);
    }

    // [N, side], bool: within half of these lengths, [N], of a random centre.
    private Tensor Inside(Tensor lengths, int side, Generator generator)
    {
        var centre = Between(lengths.shape[0], generator, 0, 1).unsqueeze(1);
        var places = (arange(side, dtype: ScalarType.Float32, device: _device) + 0.5) / side;
        return (places.unsqueeze(0) - centre).abs().lt(lengths.unsqueeze(1) / 2);
    }

    private Tensor Between(long count, Generator generator, double least, double most) => ViewMakers.Between(count, generator, least, most, _device);
}
