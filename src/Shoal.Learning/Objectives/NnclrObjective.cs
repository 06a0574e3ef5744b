using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What the bank holds nearest to one view of a sample tells the sample's other view from the batch's others.</summary>
/// <remarks>
/// Dwibedi et al. 2021, "With a Little Help from My Friends: Nearest-Neighbor Contrastive Learning of Visual Representations", eq. 3 with the
/// prediction head of section 3.2: L = -mean_i log(exp(NN(z_i)·p_i⁺/τ) / Σ_k exp(NN(z_i)·p_k⁺/τ)), p = g(z), all L2-normalised, mean over both directions;
/// NN(z) is the nearest embedding of the support set, a FIFO of earlier steps' view A. Here the set is the memory bank, and keys of the sample itself are
/// left out: with replay they would be its nearest neighbours. While the bank holds nothing else, the view stands for its own neighbour.
/// </remarks>
[Objective("nnclr", Family = ObjectiveFamily.Contrastive, Source = "Dwibedi et al. 2021, NNCLR, eq. 3 and section 3.2", Needs = ObjectiveNeeds.Bank)]
public sealed class NnclrObjective : ViewObjective
{
    // Below every cosine.
    private const float Nowhere = -2;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public NnclrObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public NnclrObjective(int featureWidth, Options options)
        : base("nnclr")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Normed([featureWidth, options.Hidden, options.Hidden, options.Width], LastLayer.Normed));
        _predictor = Networks.Learned("predictor", Mlp.Normed([options.Width, options.Hidden, options.Width]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ; 0.01 to 10.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 10.0)]
        public double Temperature { get; init; } = 0.1;

        /// <summary>The width of embeddings; 8 to 1,024.</summary>
        /// <value>64, as <c>moco</c> has for 256-wide features; the paper has 256 for 2,048.</value>
        [Range(8, 1024)]
        public int Width { get; init; } = 64;

        /// <summary>The width of hidden layers; 8 to 8,192.</summary>
        /// <value>256, the feature's width, as the paper's 2,048.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 256;
    }

    /// <inheritdoc/>
    public override int KeyWidth => _options.Width;

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        StepBatch.CheckBank(batch, KeyWidth);
        var projected = features.Through(_projector);
        var embedded = projected.Unit().Stopped();
        var predicted = projected.Through(_predictor).Unit();
        Tensor Contrast(Tensor view, Tensor other) => InBatch.Choice(Nearest(view, batch).matmul(other.t()) / _options.Temperature, batch.Samples);
        return Of(("contrast", (Contrast(embedded.A, predicted.B) + Contrast(embedded.B, predicted.A)) / 2)) with { Keys = embedded.A.clone() };
    }

    // [N, W] -> [N, W].
    private static Tensor Nearest(Tensor view, StepBatch batch)
    {
        if (batch.BankKeys.shape[0] == 0)
        {
            return view;
        }

        // Forgotten keys are of no sample.
        var own = batch.Samples.unsqueeze(1).eq(batch.BankSamples.unsqueeze(0)).logical_or(batch.BankSamples.lt(0));
        var (cosine, row) = view.matmul(batch.BankKeys.t()).masked_fill_(own, Nowhere).max(1);
        return where(cosine.gt(Nowhere).unsqueeze(1), batch.BankKeys.index_select(0, row), view);
    }
}
