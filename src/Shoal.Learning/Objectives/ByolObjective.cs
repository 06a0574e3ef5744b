using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>From one view a predictor foretells the other's momentum projection, without negatives.</summary>
/// <remarks>
/// Grill et al. 2020, "Bootstrap Your Own Latent", eq. 2 and its symmetrisation: L = mean ‖q̄(z_A) - z̄'_B‖² + mean ‖q̄(z_B) - z̄'_A‖²
/// = mean (2 - 2cos) twice, 0 to 8. Targets come from the momentum encoder and a momentum twin of the projector; no gradient goes through them.
/// Features that are all alike score 0, the least; the predictor and the twin keep away from there.
/// </remarks>
[Objective(
    "byol",
    Family = ObjectiveFamily.NonContrastive,
    Source = "Grill et al. 2020, Bootstrap Your Own Latent, eq. 2",
    Needs = ObjectiveNeeds.KeyEncoder,
    LeastAtCollapse = true)]
public sealed class ByolObjective : ViewObjective
{
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly nn.Module<Tensor, Tensor> _twin;
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public ByolObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public ByolObjective(int featureWidth, Options options)
        : base("byol")
    {
        ObjectiveOptions.Checked(options);
        nn.Module<Tensor, Tensor> Projector() => Mlp.Normed([featureWidth, options.Hidden, options.Width]);
        _projector = Networks.Learned("projector", Projector());
        _twin = Networks.Following("twin", Projector(), _projector);
        _predictor = Networks.Learned("predictor", Mlp.Normed([options.Width, options.Hidden, options.Width]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>The width of projections and predictions; 8 to 4,096.</summary>
        /// <value>64, a quarter of a 256-wide feature; the paper has 256 for 2,048.</value>
        [Range(8, 4096)]
        public int Width { get; init; } = 64;

        /// <summary>The width of hidden layers; 8 to 8,192.</summary>
        /// <value>512: twice the feature's width, as the paper's 4,096.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 512;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var predicted = features.Through(_projector).Through(_predictor).Unit();
        var target = Views.Of(batch.KeyFeatures).ThroughStopped(_twin).Unit();
        return Of(("regression", Distance(predicted.A, target.B) + Distance(predicted.B, target.A)));
    }

    // Of unit vectors, [N, W] twice -> scalar.
    private static Tensor Distance(Tensor predicted, Tensor target) => 2 - (2 * (predicted * target).sum(1).mean());
}
