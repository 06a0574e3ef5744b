using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Makes the views of photographs, and small crops beside them.</summary>
/// <remarks>
/// Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", section 3.2: parts of a sample are to be told what the whole is. The paper's crops are
/// smaller pictures, of 96 pixels beside 224, so that they cost less; samples here have 32 pixels or so, and encoders take one shape, so crops are enlarged to it and cost as much as a view.
/// </remarks>
public sealed class MultiCropViews : ICropMaker
{
    private readonly Options _options;
    private readonly ViewMaker _whole;
    private readonly ViewMaker _crops;

    /// <summary>With the default crops.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    public MultiCropViews(SampleShape shape, Device device)
        : this(shape, device, new Options())
    {
    }

    /// <summary>With given crops.</summary>
    /// <param name="shape">The shape of the samples.</param>
    /// <param name="device">Where they are.</param>
    /// <param name="options">How many, and how small.</param>
    public MultiCropViews(SampleShape shape, Device device, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _whole = new ViewMaker(shape, device, ViewMaker.Options.Photograph);
        _crops = new ViewMaker(shape, device, ViewMaker.Options.Photograph with { Window = options.Window });
    }

    /// <summary>How many, and how small.</summary>
    public sealed record Options
    {
        /// <summary>Crops of each sample; 1 to 16.</summary>
        /// <value>4: with two views three times the cost of a step. The paper has 6.</value>
        public int Count { get; init; } = 4;

        /// <summary>Smallest and largest side of what a crop shows, of the sample's; 0.1 to 1.</summary>
        /// <value>0.25 to 0.5: a sixteenth to a quarter of the area. The paper's least, a twentieth, is 7 pixels of 32.</value>
        public (double Least, double Most) Window { get; init; } = (0.25, 0.5);
    }

    /// <inheritdoc/>
    public Tensor Make(Tensor samples, Generator generator) => _whole.Make(samples, generator);

    /// <inheritdoc/>
    public Tensor MakeCrops(Tensor samples, Generator generator)
    {
        using var scope = NewDisposeScope();
        return cat([.. Enumerable.Range(0, _options.Count).Select(_ => _crops.Make(samples, generator))]).MoveToOuterDisposeScope();
    }
}
