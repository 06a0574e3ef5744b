using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>By how many quarters was a sample turned?</summary>
/// <remarks>
/// Gidaris et al. 2018, "Unsupervised Representation Learning by Predicting Image Rotations", eq. 2 and 3: the mean over samples and over y = 0, 1, 2, 3 of
/// -log F^y(g(x | y)), where g turns by y·90° and F is a softmax over a classifier of the features. Each sample is asked about in all four turns at once (section 3.2).
/// What looks the same in every turn, as disks do, teaches nothing.
/// </remarks>
[Objective(
    "rotation",
    Family = ObjectiveFamily.Pretext,
    Source = "Gidaris et al. 2018, Predicting Image Rotations, eq. 2 and 3",
    Needs = ObjectiveNeeds.Samples,
    NeedsSquare = true,
    OnlyImages = "a quarter turn of a spectrogram makes time of frequency, and whatever was heard the turn shows at once")]
public sealed class RotationObjective : PretextObjective
{
    /// <summary>Quarters of a full turn.</summary>
    private const int Turns = 4;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _classifier;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public RotationObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public RotationObjective(int featureWidth, Options options)
        : base("rotation")
    {
        _options = ObjectiveOptions.Checked(options);
        _classifier = Networks.Learned("classifier", nn.Linear(featureWidth, Turns));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are turned, each four times; 2 to 4,096.</summary>
        /// <value>72: four turns of a quarter of a step's samples, as many as the step has.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 72;
    }

    private protected override int Images => _options.Images;

    /// <summary>All turns of all samples.</summary>
    /// <param name="pixels">[M, C, S, S].</param>
    /// <returns>[4M, C, S, S]: first all as they are, then all by a quarter counter-clockwise, by two, by three.</returns>
    public static Tensor Turned(Tensor pixels) => cat([.. Enumerable.Range(0, Turns).Select(quarters => pixels.rot90(quarters, (2, 3)))]);

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var scores = _classifier.forward(batch.Encode(Turned(pixels)));
        return Of(("turn", cross_entropy(scores, arange(Turns, ScalarType.Int64, scores.device).repeat_interleave(pixels.shape[0]))));
    }
}
