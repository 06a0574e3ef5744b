using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Each component of the projection is the same in both views, and correlated with no other component.</summary>
/// <remarks>
/// Zbontar et al. 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", eq. 1 and 2: L = Σ_i (1 - C_ii)² + λ Σ_{i≠j} C_ij²,
/// where C is the cross-correlation of the two views' projections over the batch, [W, W]. A component that does not vary over the batch has no correlation, C_ii = 0.
/// The loss is a sum over components, so it is about W at first: beside other objectives its weight should be small.
/// </remarks>
[Objective("barlow", Family = ObjectiveFamily.NonContrastive, Source = "Zbontar et al. 2021, Barlow Twins, eq. 1 and 2")]
public sealed class BarlowObjective : ViewObjective
{
    // Added to the variance, as BatchNorm does in the paper's code.
    private const double Epsilon = 1e-5;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public BarlowObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public BarlowObjective(int featureWidth, Options options)
        : base("barlow")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Normed([featureWidth, options.Width, options.Width, options.Width], LastLayer.Bare));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>λ, the weight of redundancy; 0 to 10.</summary>
        /// <value>0.0051, that of the paper's code; the paper rounds it to 0.005.</value>
        [Range(0.0, 10.0)]
        public double Redundancy { get; init; } = 0.0051;

        /// <summary>The width of projections and of hidden layers, W; 8 to 8,192.</summary>
        /// <value>512: twice the feature's width. The paper's 8,192 is four times its own, which CPUs would take long for.</value>
        [Range(8, 8192)]
        public int Width { get; init; } = 512;
    }

    /// <summary>The terms of given projections.</summary>
    /// <param name="viewA">[N, W], float32, N at least 2.</param>
    /// <param name="viewB">Of the same samples.</param>
    /// <returns>Σ (1 - C_ii)² and Σ_{i≠j} C_ij², scalars.</returns>
    public static (Tensor Invariance, Tensor Redundancy) Terms(Tensor viewA, Tensor viewB)
    {
        ArgumentNullException.ThrowIfNull(viewA);
        ArgumentNullException.ThrowIfNull(viewB);
        using var scope = NewDisposeScope();
        var correlation = Standardised(viewA).t().matmul(Standardised(viewB)) / viewA.shape[0];
        var diagonal = correlation.diagonal();

        // Taken out, not subtracted: a small difference of large sums would be lost in float32.
        var others = correlation.masked_fill(eye(correlation.shape[0], dtype: ScalarType.Bool, device: correlation.device), 0);
        return ((1 - diagonal).square().sum().MoveToOuterDisposeScope(), others.square().sum().MoveToOuterDisposeScope());
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var projected = features.Through(_projector);
        var (invariance, redundancy) = Terms(projected.A, projected.B);
        return new ObjectiveResult(new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["invariance"] = invariance,
            ["redundancy"] = redundancy * _options.Redundancy,
        });
    }

    // Mean 0 and variance 1 over the batch.
    private static Tensor Standardised(Tensor view)
    {
        var centred = view - view.mean([0], keepdim: true);
        return centred / (centred.square().mean([0], keepdim: true) + Epsilon).sqrt();
    }
}
