using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>From one view a predictor foretells the other's projection, which gets no gradient; no negatives, no momentum twin.</summary>
/// <remarks>
/// Chen and He 2021, "Exploring Simple Siamese Representation Learning", eq. 1 to 4: L = ½D(p_A, stop(z_B)) + ½D(p_B, stop(z_A)),
/// D(p, z) = -mean cos(p, z), -1 to 1. Three layers of projector, each with BatchNorm, two of predictor whose hidden one is a bottleneck (section 3).
/// Features that are all alike score -1, the least; the predictor and the stopped gradient keep away from there.
/// </remarks>
[Objective("simsiam", Family = ObjectiveFamily.NonContrastive, Source = "Chen and He 2021, SimSiam, eq. 1 to 4", LeastAtCollapse = true)]
public sealed class SimSiamObjective : ViewObjective
{
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public SimSiamObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public SimSiamObjective(int featureWidth, Options options)
        : base("simsiam")
    {
        ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Normed([featureWidth, options.Width, options.Width, options.Width], LastLayer.Normed));
        _predictor = Networks.Learned("predictor", Mlp.Normed([options.Width, options.Bottleneck, options.Width]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>The width of projections and of the projector's hidden layers; 8 to 8,192.</summary>
        /// <value>256: the feature's width, as the paper's 2,048.</value>
        [Range(8, 8192)]
        public int Width { get; init; } = 256;

        /// <summary>The width of the predictor's hidden layer; 2 to 8,192.</summary>
        /// <value>64: a quarter of the width, as the paper's 512.</value>
        [Range(2, 8192)]
        public int Bottleneck { get; init; } = 64;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var projected = features.Through(_projector);
        var predicted = projected.Through(_predictor).Unit();
        var target = projected.Unit().Stopped();
        return Of(("agreement", (Cosine(predicted.A, target.B) + Cosine(predicted.B, target.A)) / -2));
    }

    // Of unit vectors, [N, W] twice -> scalar.
    private static Tensor Cosine(Tensor predicted, Tensor target) => (predicted * target).sum(1).mean();
}
