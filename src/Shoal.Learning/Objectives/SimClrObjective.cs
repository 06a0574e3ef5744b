using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Each of the batch's 2N views is told from all others by its other view.</summary>
/// <remarks>
/// NT-Xent, Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", eq. 1:
/// ℓ(i, j) = -log(exp(sim(z_i, z_j)/τ) / Σ_{k≠i} exp(sim(z_i, z_k)/τ)) with cosines, mean over all 2N views, with the projection of section 2.1,
/// z = W₂ReLU(W₁h). A sample that replay drew twice is no negative of itself.
/// </remarks>
[Objective("simclr", Family = ObjectiveFamily.Contrastive, Source = "Chen et al. 2020, SimCLR, eq. 1")]
public sealed class SimClrObjective : ViewObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public SimClrObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public SimClrObjective(int featureWidth, Options options)
        : base("simclr")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Plain(featureWidth, options.Width));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ; 0.01 to 10.</summary>
        /// <value>0.5, the paper's for CIFAR-10 (appendix B.9).</value>
        [Range(0.01, 10.0)]
        public double Temperature { get; init; } = 0.5;

        /// <summary>The projection's width; 8 to 4,096.</summary>
        /// <value>128, the paper's.</value>
        [Range(8, 4096)]
        public int Width { get; init; } = 128;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var count = features.A.shape[0];
        var z = normalize(_projector.forward(batch.Features), 2, dim: 1);
        var scores = z.matmul(z.t()) / _options.Temperature;

        // Row i's positive is its other view, at i + N or i - N.
        var positives = cat([scores.diagonal(count), scores.diagonal(-count)]);
        var samples = batch.Samples.repeat(2);
        var pairs = eye(2 * count, dtype: ScalarType.Bool, device: z.device).roll(count, 0);
        var left = samples.unsqueeze(1).eq(samples.unsqueeze(0)).logical_xor(pairs);
        return Of(("contrast", (scores.masked_fill(left, float.NegativeInfinity).logsumexp(1) - positives).mean()));
    }
}
