using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters: what the heads are certain of in one view, they shall recognise in the other; beside an objective that makes clusters.</summary>
/// <remarks>
/// The self-labelling step of Van Gansbeke et al. 2020, "SCAN", section 2.3: cross-entropy with the class of every sample whose
/// probability is above a threshold, each class weighted by the inverse of how often it was so labelled, so that it does not grow by being large.
/// Weak and strong views are made alike here, so that either view labels the other: mean over both directions and heads.
/// </remarks>
[Objective(
    "selflabel",
    Family = ObjectiveFamily.Clustering,
    Source = "Van Gansbeke et al. 2020, SCAN, section 2.3",
    Needs = ObjectiveNeeds.Heads | ObjectiveNeeds.Replay,
    TrainsHead = true,
    Collapses = true)]
public sealed class SelfLabelObjective : HeadObjective
{
    private readonly Options _options;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width; not needed.</param>
    public SelfLabelObjective(int featureWidth)
        : this(new Options())
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(featureWidth);
    }

    /// <summary>With given options.</summary>
    /// <param name="options">Settings.</param>
    public SelfLabelObjective(Options options)
        : base("labels") => _options = ObjectiveOptions.Checked(options);

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>The least probability of a label; 0 to 1.</summary>
        /// <value>0.99, the paper's.</value>
        [Range(0.0, 1.0)]
        public double Threshold { get; init; } = 0.99;
    }

    private protected override Tensor Loss(Tensor teaching, Tensor taught, double scale)
    {
        var (best, labels) = log_softmax(teaching.detach() * scale, 2).max(2);
        var certain = best.ge(Math.Log(_options.Threshold)).to_type(ScalarType.Float32);

        // [H, K]: every class that labels anything weighs the same.
        var counts = zeros(taught.shape[0], taught.shape[2], device: taught.device).scatter_add(1, labels, certain);
        var classes = counts.gt(0).sum(1, keepdim: true).clamp_min(1);
        var weights = certain / (counts.gather(1, labels).clamp_min(1) * classes);
        var recognised = log_softmax(taught * scale, 2).gather(2, labels.unsqueeze(2)).squeeze(2);
        return (recognised * weights).sum(1).mean().neg();
    }
}
