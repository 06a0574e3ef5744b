using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Which of the eight pieces around the middle one is this?</summary>
/// <remarks>
/// Doersch et al. 2015, "Unsupervised Visual Representation Learning by Context Prediction", sections 3 and 3.1: the middle piece and one of its eight neighbours go through
/// the encoder, both features together through a classifier, and the loss is -log of the probability of the right place. Pieces lie apart, and at random, and have the same
/// mean and deviation, so that continuing lines and light do not give the place away; the paper drops colours for the same reason.
/// </remarks>
[Objective(
    "relativepatch",
    Family = ObjectiveFamily.Pretext,
    Source = "Doersch et al. 2015, Context Prediction, sections 3 and 3.1",
    Needs = ObjectiveNeeds.Samples,
    LeastSide = Pieces.LeastSide,
    OnlyImages = "bands look as they do at their height whatever is heard, so that a piece of a spectrogram shows where it lay")]
public sealed class RelativePatchObjective : PretextObjective
{
    private const int Middle = Pieces.Count / 2;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _classifier;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public RelativePatchObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public RelativePatchObjective(int featureWidth, Options options)
        : base("relativepatch")
    {
        _options = ObjectiveOptions.Checked(options);
        _classifier = Networks.Learned("classifier", Mlp.Normed([2 * featureWidth, options.Hidden, Pieces.Count - 1]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about, each with two pieces; 2 to 4,096.</summary>
        /// <value>144: as many pieces as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 144;

        /// <summary>The side of a piece as a share of its cell's; 0.3 to 1.</summary>
        /// <value>0.5: pieces lie a piece's side apart on average, twice as far as the paper's. At 0.7 they often touch, and what continues from one to the next gives the place away: what was learned in 300 steps was gone after 900.</value>
        [Range(0.3, 1.0)]
        public double Share { get; init; } = 0.5;

        /// <summary>The width of the classifier's hidden layer; 8 to 8,192.</summary>
        /// <value>256: the feature's width.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 256;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var samples = pixels.shape[0];
        var answers = randint(Pieces.Count - 1, [samples], generator: generator, dtype: ScalarType.Int64);

        // The cell of each answer: the middle one is none.
        var neighbours = answers + answers.ge(Middle).to_type(ScalarType.Int64);
        var pieces = Pieces.Cut(pixels, stack([full_like(neighbours, Middle), neighbours], 1), _options.Share, generator);
        var both = batch.Encode(Pieces.Standardised(pieces)).view(samples, -1);
        return Of(("place", cross_entropy(_classifier.forward(both), answers.to(pixels.device))));
    }
}
