using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters: a view's class is predicted from the other view, where samples compete for classes as well as classes for samples.</summary>
/// <remarks>
/// Amrani et al. 2022, "Self-Supervised Classification Network", eq. 5 to 7: the target softmaxes over the batch and is
/// normalised over classes, the prediction softmaxes over classes and is normalised over the batch, and
/// L = -mean Σ_k target_k(A) · log((N/K) · prediction_k(B)), mean over both directions and heads. No term for balance: a class
/// that all samples share has prediction 1/N for each of them. For replayed rows only: the prior that this puts on classes is uniform, and on a stream
/// that is not iid fresh samples say nothing about it.
/// </remarks>
[Objective(
    "selfclassifier",
    Family = ObjectiveFamily.Clustering,
    Source = "Amrani et al. 2022, Self-Supervised Classification Network, eq. 5 to 7",
    Needs = ObjectiveNeeds.Heads | ObjectiveNeeds.Replay,
    TrainsHead = true)]
public sealed class SelfClassifierObjective : HeadObjective
{
    // A prediction can underflow to 0 in float32.
    private const double Floor = 1e-7;

    private readonly Options _options;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width; not needed.</param>
    public SelfClassifierObjective(int featureWidth)
        : this(new Options())
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(featureWidth);
    }

    /// <summary>With given options.</summary>
    /// <param name="options">Settings.</param>
    public SelfClassifierObjective(Options options)
        : base("classes") => _options = ObjectiveOptions.Checked(options);

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Temperature of the softmax over the batch; 0.01 to 1.</summary>
        /// <value>0.05, the paper's.</value>
        [Range(0.01, 1.0)]
        public double BatchTemperature { get; init; } = 0.05;

        /// <summary>Temperature of the softmax over classes; 0.01 to 1.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 1.0)]
        public double ClassTemperature { get; init; } = 0.1;
    }

    private protected override Tensor Loss(Tensor teaching, Tensor taught, double scale)
    {
        var target = softmax(teaching / _options.BatchTemperature, 1);
        target = target / target.sum(2, keepdim: true).clamp_min(Floor);
        var prediction = softmax(taught / _options.ClassTemperature, 2);
        prediction = prediction / prediction.sum(1, keepdim: true).clamp_min(Floor);
        var scaled = prediction * (taught.shape[1] / (double)taught.shape[2]);
        return (target * scaled.clamp_min(Floor).log()).sum(2).mean().neg();
    }
}
