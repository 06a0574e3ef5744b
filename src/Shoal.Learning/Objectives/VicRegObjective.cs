using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Both views have the same projection, each component of which varies over the batch, and none with another.</summary>
/// <remarks>
/// Bardes et al. 2022, "VICReg: Variance-Invariance-Covariance Regularization", eq. 1 to 6: L = λ·s(Z, Z') + μ·(v(Z) + v(Z')) + ν·(c(Z) + c(Z')),
/// v(Z) = mean_j max(0, 1 - √(Var(z_j) + ε)), c(Z) = Σ_{i≠j} Cov(Z)_ij² / W, with N - 1 for N in variances. s is the mean square of all components' differences,
/// as in the paper's algorithm 1, which λ is meant for; eq. 5 sums over components.
/// </remarks>
[Objective("vicreg", Family = ObjectiveFamily.NonContrastive, Source = "Bardes et al. 2022, VICReg, eq. 1 to 6 and algorithm 1")]
public sealed class VicRegObjective : ViewObjective
{
    // ε, the paper's.
    private const double Epsilon = 1e-4;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public VicRegObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public VicRegObjective(int featureWidth, Options options)
        : base("vicreg")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Normed([featureWidth, options.Width, options.Width, options.Width], LastLayer.Bare));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>λ; 0 to 1,000.</summary>
        /// <value>25, the paper's.</value>
        [Range(0.0, 1000.0)]
        public double Invariance { get; init; } = 25;

        /// <summary>μ; 0 to 1,000.</summary>
        /// <value>25, the paper's.</value>
        [Range(0.0, 1000.0)]
        public double Variance { get; init; } = 25;

        /// <summary>ν; 0 to 1,000.</summary>
        /// <value>1, the paper's.</value>
        [Range(0.0, 1000.0)]
        public double Covariance { get; init; } = 1;

        /// <summary>The width of projections and of hidden layers, W; 8 to 8,192.</summary>
        /// <value>512: twice the feature's width. The paper's 8,192 is four times its own, which CPUs would take long for.</value>
        [Range(8, 8192)]
        public int Width { get; init; } = 512;
    }

    /// <summary>The terms of given projections, before they are weighted.</summary>
    /// <param name="viewA">[N, W], float32, N at least 2.</param>
    /// <param name="viewB">Of the same samples.</param>
    /// <returns>s(Z, Z'), v(Z) + v(Z'), c(Z) + c(Z'), scalars.</returns>
    public static (Tensor Invariance, Tensor Variance, Tensor Covariance) Terms(Tensor viewA, Tensor viewB)
    {
        ArgumentNullException.ThrowIfNull(viewA);
        ArgumentNullException.ThrowIfNull(viewB);
        using var scope = NewDisposeScope();
        var (varianceA, covarianceA) = Spread(viewA);
        var (varianceB, covarianceB) = Spread(viewB);
        return (
            (viewA - viewB).square().mean().MoveToOuterDisposeScope(),
            (varianceA + varianceB).MoveToOuterDisposeScope(),
            (covarianceA + covarianceB).MoveToOuterDisposeScope());
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var projected = features.Through(_projector);
        var (invariance, variance, covariance) = Terms(projected.A, projected.B);
        return new ObjectiveResult(new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["invariance"] = invariance * _options.Invariance,
            ["variance"] = variance * _options.Variance,
            ["covariance"] = covariance * _options.Covariance,
        });
    }

    // v and c of one view.
    private static (Tensor Variance, Tensor Covariance) Spread(Tensor view)
    {
        var centred = view - view.mean([0], keepdim: true);
        var covariance = centred.t().matmul(centred) / (view.shape[0] - 1);
        var hinge = (1 - (covariance.diagonal() + Epsilon).sqrt()).clamp_min(0).mean();

        // Taken out, not subtracted: a small difference of large sums would be lost in float32.
        var others = covariance.masked_fill(eye(view.shape[1], dtype: ScalarType.Bool, device: view.device), 0);
        return (hinge, others.square().sum() / view.shape[1]);
    }
}
