using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Which of the batch's segments is of the same recording?</summary>
/// <remarks>
/// Saeed et al. 2021, "Contrastive Learning of General-Purpose Audio Representations", eq. 1 and section 2: an anchor and a positive are two random segments of a sample, every other sample's positive is a
/// negative; s(x, x') = g(x)ᵀ·W·g(x'), L = -log(exp s(x, x⁺) / Σ exp s(x, x⁻ or x⁺)), where g is a linear layer, LayerNorm and tanh over the features. A segment is as high as the sample: of a
/// spectrogram all frequencies of some time.
/// </remarks>
[Objective("cola", Family = ObjectiveFamily.Sequence, Source = "Saeed et al. 2021, COLA, eq. 1 and section 2", Needs = ObjectiveNeeds.Samples, LeastSide = Slices.LeastWidth)]
public sealed class ColaObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly nn.Module<Tensor, Tensor> _similarity;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public ColaObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public ColaObjective(int featureWidth, Options options)
        : base("cola")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", nn.Sequential(nn.Linear(featureWidth, options.Width), nn.LayerNorm(options.Width), nn.Tanh()));
        _similarity = Networks.Learned("similarity", nn.Linear(options.Width, options.Width, hasBias: false));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step of which two segments are taken; 2 to 4,096.</summary>
        /// <value>144: as many segments as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 144;

        /// <summary>A segment's width as a share of the sample's; 0.1 to 0.9.</summary>
        /// <value>0.5; the paper has one second of up to ten, from samples that are longer than ours.</value>
        [Range(0.1, 0.9)]
        public double Share { get; init; } = 0.5;

        /// <summary>The width of g; 8 to 4,096.</summary>
        /// <value>256: the feature's; the paper has 512 for 1,280.</value>
        [Range(8, 4096)]
        public int Width { get; init; } = 256;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var segments = batch.Encode(Slices.Anywhere(pixels, 2, _options.Share, generator));
        var projected = _projector.forward(segments).view(pixels.shape[0], 2, -1);
        var scores = projected.select(1, 0).matmul(_similarity.forward(projected.select(1, 1)).t());
        return Of(("contrast", InBatch.Choice(scores, batch.Samples.index_select(0, rows))));
    }
}
