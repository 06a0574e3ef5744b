using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Momentum contrast without a bank: a view's prediction is told from the batch's other keys by the key of its other view.</summary>
/// <remarks>
/// MoCo v3, Chen et al. 2021, "An Empirical Study of Training Self-Supervised Vision Transformers", eq. 1 and algorithm 1:
/// L = 2τ · (ctr(q_A, k_B) + ctr(q_B, k_A)), ctr(q, k) = -mean_i log(exp(q_i·k_i/τ) / Σ_j exp(q_i·k_j/τ)). Queries go through projector and
/// predictor, keys through the momentum encoder and a momentum twin of the projector; layers as the paper's code has them for ConvNets.
/// </remarks>
[Objective("moco3", Family = ObjectiveFamily.Contrastive, Source = "Chen et al. 2021, MoCo v3, eq. 1 and algorithm 1", Needs = ObjectiveNeeds.KeyEncoder)]
public sealed class Moco3Objective : ViewObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly nn.Module<Tensor, Tensor> _twin;
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public Moco3Objective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public Moco3Objective(int featureWidth, Options options)
        : base("moco3")
    {
        _options = ObjectiveOptions.Checked(options);
        nn.Module<Tensor, Tensor> Projector() => Mlp.Normed([featureWidth, options.Hidden, options.Width], LastLayer.Standardised);
        _projector = Networks.Learned("projector", Projector());
        _twin = Networks.Following("twin", Projector(), _projector);
        _predictor = Networks.Learned("predictor", Mlp.Normed([options.Width, options.Hidden, options.Width], LastLayer.Bare));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ; 0.01 to 10.</summary>
        /// <value>0.2, the paper's; its code runs ResNet-50 with 1.</value>
        [Range(0.01, 10.0)]
        public double Temperature { get; init; } = 0.2;

        /// <summary>The width of queries and keys; 8 to 4,096.</summary>
        /// <value>64, as <c>moco</c> has for 256-wide features; the paper has 256 for 2,048.</value>
        [Range(8, 4096)]
        public int Width { get; init; } = 64;

        /// <summary>The width of hidden layers; 8 to 8,192.</summary>
        /// <value>512: twice the feature's width, as the paper's 4,096.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 512;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var queries = features.Through(_projector).Through(_predictor).Unit();
        var keys = Views.Of(batch.KeyFeatures).ThroughStopped(_twin).Unit();
        Tensor Contrast(Tensor q, Tensor k) => InBatch.Choice(q.matmul(k.t()) / _options.Temperature, batch.Samples);
        return Of(("contrast", (Contrast(queries.A, keys.B) + Contrast(queries.B, keys.A)) * (2 * _options.Temperature)));
    }
}
