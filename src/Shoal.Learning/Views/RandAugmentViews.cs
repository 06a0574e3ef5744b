using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Makes views by RandAugment: a few changes for each sample, any of a list, all as strong as one number says.</summary>
/// <remarks>
/// Cubuk et al. 2020, "RandAugment", section 3 and table 1, with the ranges that its strengths are shares of (appendix A.1 of Cubuk et al. 2019, "AutoAugment"). Each change is applied to those
/// samples of a batch that drew it, in one piece; changes that can go two ways go either way. What colour alone has is left out for grey samples.
/// What a place map brings in from outside continues the border.
/// </remarks>
public sealed class RandAugmentViews : IViewMaker
{
    private const int Levels = 256;
    private const double MostDegrees = 30;
    private const double MostShear = 0.3;

    // 150 of the 331 pixels of the paper's samples.
    private const double MostShift = 0.45;
    private const double MostFactor = 0.9;
    private const double MostBits = 4;

    private readonly Options _options;
    private readonly SampleShape _shape;
    private readonly Device _device;
    private readonly IReadOnlyList<Func<Tensor, Tensor, Tensor>> _changes;

    /// <summary>With the default strength.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    public RandAugmentViews(SampleShape shape, Device device)
        : this(shape, device, new Options())
    {
    }

    /// <summary>With a given strength.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    /// <param name="options">How many changes, and how strong.</param>
    public RandAugmentViews(SampleShape shape, Device device, Options options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        (_shape, _device, _options) = (shape, device, options);
        _changes = [.. Changes.Where(change => shape.Channels == 3 || !change.NeedsColour).Select(change => change.Apply)];
    }

    /// <summary>How many changes, and how strong.</summary>
    public sealed record Options
    {
        /// <summary>Changes of each sample, one after another; 1 to 8.</summary>
        /// <value>2.</value>
        public int Count { get; init; } = 2;

        /// <summary>How strong they are, as a share of each one's range; 0 to 1.</summary>
        /// <value>0.47: the paper's 14 of 30 for CIFAR-10.</value>
        public double Strength { get; init; } = 14 / 30.0;
    }

    /// <summary>A change of samples by strengths, one for each: -1 to 1, or 0 to 1 for those that go one way.</summary>
    /// <param name="Name">Its name in the paper.</param>
    /// <param name="NeedsColour">Whether it changes nothing of grey samples.</param>
    /// <param name="Apply">From [n, C, H, W], float32, 0 to 1, and strengths, [n], to the same shape.</param>
    internal sealed record Change(string Name, bool NeedsColour, Func<Tensor, Tensor, Tensor> Apply);

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<Change> Changes { get; } =
    [
        new("identity", false, (samples, _) => samples),
        new("autocontrast", false, (samples, _) => Stretched(samples)),
        new("equalize", false, (samples, _) => Equalized(samples)),
        new("rotate", false, (samples, by) => Placed(samples, Turned(by * (MostDegrees * Math.PI / 180)))),
        new("solarize", false, (samples, by) => where(samples.ge(Cells(1 - by.abs())), 1 - samples, samples)),
        new("color", true, (samples, by) => Around(samples, (samples * ColourMaps.Luma(samples.device).view(1, 3, 1, 1)).sum(1, keepdim: true), by)),
        new("posterize", false, (samples, by) => Posterized(samples, by.abs())),
        new("contrast", false, (samples, by) => Around(samples, samples.mean([1, 2, 3], keepdim: true), by)),
        new("brightness", false, (samples, by) => Around(samples, zeros_like(samples), by)),
        new("sharpness", false, (samples, by) => Around(samples, Smoothed(samples), by)),
        new("shear-x", false, (samples, by) => Placed(samples, Map(samples, (0, 1, by * MostShear)))),
        new("shear-y", false, (samples, by) => Placed(samples, Map(samples, (1, 0, by * MostShear)))),
        new("translate-x", false, (samples, by) => Placed(samples, Map(samples, (0, 2, by * (2 * MostShift))))),
        new("translate-y", false, (samples, by) => Placed(samples, Map(samples, (1, 2, by * (2 * MostShift))))),
    ];

    /// <inheritdoc/>
    public Tensor Make(Tensor samples, Generator generator)
    {
        ViewMakers.Check(samples, _shape);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (count, views) = (samples.shape[0], samples.clone());
        for (var round = 0; round < _options.Count; round++)
        {
            var drawn = Between(count, generator, 0, _changes.Count).floor();
            var by = where(Between(count, generator, 0, 1).lt(0.5), -1f, 1f) * _options.Strength;
            foreach (var (number, change) in _changes.Index())
            {
                using var changeScope = NewDisposeScope();
                var rows = drawn.eq(number).nonzero().view(-1);
                if (rows.shape[0] > 0)
                {
                    views.index_copy_(0, rows, change(views.index_select(0, rows), by.index_select(0, rows)).clamp(0, 1));
                }
            }
        }

        return views.MoveToOuterDisposeScope();
    }

    // Farther from a middle where the strength is above 0, nearer to it below.
    private static Tensor Around(Tensor samples, Tensor middle, Tensor by) => middle + ((samples - middle) * Cells(1 + (by * MostFactor)));

    // Each channel's darkest value becomes 0, its brightest 1; one that is all alike stays.
    private static Tensor Stretched(Tensor samples)
    {
        var (least, most) = (samples.amin([2, 3], keepdim: true), samples.amax([2, 3], keepdim: true));
        return where(most.gt(least), (samples - least) / (most - least).clamp_min(1e-6), samples);
    }

    // As many pixels of each level, as nearly as levels can be kept together: the rule of the Python Imaging Library, ImageOps.equalize.
    private static Tensor Equalized(Tensor samples)
    {
        var levels = (samples * (Levels - 1)).round().to_type(ScalarType.Int64).flatten(2).flatten(0, 1);
        var counts = zeros([levels.shape[0], Levels], ScalarType.Int64, samples.device).scatter_add_(1, levels, ones_like(levels));
        var brightest = counts.gather(1, levels.amax([1], keepdim: true));
        var step = (counts.sum(1, keepdim: true) - brightest).div(Levels - 1, RoundingMode.floor);
        var table = ((counts.cumsum(1) - counts) + step.div(2, RoundingMode.floor)).div(step.clamp_min(1), RoundingMode.floor).clamp(0, Levels - 1);
        return where(step.gt(0), table.gather(1, levels), levels).to_type(ScalarType.Float32).div_(Levels - 1).view(samples.shape);
    }

    private static Tensor Posterized(Tensor samples, Tensor by)
    {
        // Whole bits are taken away: 2 to their number levels become one.
        var size = Cells(pow(2, (by * MostBits).round()));
        return ((samples * (Levels - 1)).round() / size).floor() * size / (Levels - 1);
    }

    // The paper's smoothing, a middle of 5 among ones; borders stay.
    private static Tensor Smoothed(Tensor samples)
    {
        var channels = samples.shape[1];
        var kernel = ones([channels, 1, 3, 3], device: samples.device);
        kernel[TensorIndex.Colon, TensorIndex.Colon, 1, 1] = 5;
        var smooth = samples.clone();
        smooth[TensorIndex.Ellipsis, TensorIndex.Slice(1, -1), TensorIndex.Slice(1, -1)] = conv2d(samples, kernel / 13, groups: channels);
        return smooth;
    }

    private static Tensor Placed(Tensor samples, Tensor map) =>
        grid_sample(samples, affine_grid(map, samples.shape, align_corners: false), GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);

    private static Tensor Turned(Tensor angles)
    {
        var (cos, sin, none) = (angles.cos(), angles.sin(), zeros_like(angles));
        return stack([stack([cos, -sin, none], 1), stack([sin, cos, none], 1)], 1);
    }

    // [n, 2, 3]: the map that changes nothing, but for one of its numbers.
    private static Tensor Map(Tensor samples, (int Row, int Column, Tensor Values) changed)
    {
        var map = eye(2, 3, device: samples.device).unsqueeze(0).repeat(samples.shape[0], 1, 1);
        map[TensorIndex.Colon, changed.Row, changed.Column] = changed.Values;
        return map;
    }

    // [n] -> [n, 1, 1, 1].
    private static Tensor Cells(Tensor values) => values.view(-1, 1, 1, 1);

    private Tensor Between(long count, Generator generator, double least, double most) => ViewMakers.Between(count, generator, least, most, _device);
}
