using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters: a view's code, an equal partition of the batch over the prototypes, is predicted from the other view.</summary>
/// <remarks>
/// SwAV's swapped prediction, Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster
/// Assignments", eq. 1 to 5: codes Q maximise Tr(QᵀC) + ε·H(Q) over partitions of equal size (Sinkhorn-Knopp), and
/// L = -mean Σ_k q_k(A) · log softmax(c(B) / τ)_k, mean over both directions and heads. Here with the cluster heads as prototypes, and for replayed rows
/// only: equal sizes are asked of the whole past, not of what happens to come.
/// </remarks>
[Objective(
    "sinkhorn",
    Family = ObjectiveFamily.Clustering,
    Source = "Caron et al. 2020, SwAV, eq. 1 to 5, with the cluster heads as prototypes",
    Needs = ObjectiveNeeds.Heads | ObjectiveNeeds.Replay,
    TrainsHead = true)]
public sealed class SinkhornObjective : HeadObjective
{
    private readonly Options _options;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width; not needed.</param>
    public SinkhornObjective(int featureWidth)
        : this(new Options())
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(featureWidth);
    }

    /// <summary>With given options.</summary>
    /// <param name="options">Settings.</param>
    public SinkhornObjective(Options options)
        : base("swapped") => _options = ObjectiveOptions.Checked(options);

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ; 0.01 to 1.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 1.0)]
        public double Temperature { get; init; } = 0.1;

        /// <summary>ε, how soft codes are; 0.01 to 1.</summary>
        /// <value>0.05, the paper's.</value>
        [Range(0.01, 1.0)]
        public double Softness { get; init; } = 0.05;

        /// <summary>Normalisations of rows and columns; 1 to 100.</summary>
        /// <value>3, the paper's.</value>
        [Range(1, 100)]
        public int Iterations { get; init; } = 3;
    }

    /// <summary>Codes of equal partitions.</summary>
    /// <param name="cosines">With each prototype, [H, N, K].</param>
    /// <param name="softness">ε.</param>
    /// <param name="iterations">How often prototypes and samples are normalised in turn.</param>
    /// <returns>[H, N, K]; each row sums to 1, each column to about N/K; without gradient.</returns>
    public static Tensor Codes(Tensor cosines, double softness, int iterations)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        // Log domain: exp(1 / ε) is near float32's limits for small ε.
        var logs = cosines.detach() / softness;
        for (var i = 0; i < iterations; i++)
        {
            logs = logs - logs.logsumexp(1, keepdim: true);
            logs = logs - logs.logsumexp(2, keepdim: true);
        }

        return logs.exp().MoveToOuterDisposeScope();
    }

    private protected override Tensor Loss(Tensor teaching, Tensor taught, double scale)
        => (Codes(teaching, _options.Softness, _options.Iterations) * log_softmax(taught / _options.Temperature, 2)).sum(2).mean().neg();
}
