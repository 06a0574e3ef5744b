using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>A sample, and its nine pieces in any order, are told from other samples in a memory bank by the sample's own memory.</summary>
/// <remarks>
/// Misra and van der Maaten 2020, "Self-Supervised Learning of Pretext-Invariant Representations", eq. 3 to 5: L = λ·L_NCE(m, g) + (1 - λ)·L_NCE(m, f), where f is a
/// head of the sample's features, g one of the features of its shuffled pieces, m the sample's memory, and
/// L_NCE(m, v) = -log h(m, v) - Σ_k log(1 - h(m_k, v)), h(m, v) = exp(m·v/τ) / (exp(m·v/τ) + Σ_k exp(m_k·v/τ)) over the memories m_k of other samples.
/// The paper keeps a memory of every sample, a mean over epochs; a stream has no second epoch, so the memory is what the momentum twin of f makes of the key
/// encoder's features, and the bank holds those of earlier steps.
/// </remarks>
[Objective(
    "pirl",
    Family = ObjectiveFamily.Contrastive,
    Source = "Misra et al. 2020, Pretext-Invariant Representations, eq. 3 to 5",
    Needs = ObjectiveNeeds.Samples | ObjectiveNeeds.KeyEncoder | ObjectiveNeeds.Bank,
    LeastSide = Pieces.LeastSide,
    OnlyImages = "pieces of a spectrogram in another order are another sound, and must not be taken for the same")]
public sealed class PirlObjective : PretextObjective
{
    // Below what a single other memory adds at the lowest temperature; only so that nothing is divided by 0.
    private const float LeastSum = 1e-30f;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _image;
    private readonly nn.Module<Tensor, Tensor> _memory;
    private readonly nn.Module<Tensor, Tensor> _piece;
    private readonly nn.Module<Tensor, Tensor> _pieces;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public PirlObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public PirlObjective(int featureWidth, Options options)
        : base("pirl")
    {
        _options = ObjectiveOptions.Checked(options);
        _image = Networks.Learned("image", nn.Linear(featureWidth, options.KeyWidth));
        _memory = Networks.Following("memory", nn.Linear(featureWidth, options.KeyWidth), _image);
        _piece = Networks.Learned("piece", nn.Linear(featureWidth, options.KeyWidth));
        _pieces = Networks.Learned("pieces", nn.Linear(Pieces.Count * options.KeyWidth, options.KeyWidth));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are cut into nine pieces; 2 to 4,096.</summary>
        /// <value>32: as many pieces as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 32;

        /// <summary>λ, the share of the pieces' term; 0 to 1.</summary>
        /// <value>0.5, the paper's.</value>
        [Range(0.0, 1.0)]
        public double Share { get; init; } = 0.5;

        /// <summary>τ; 0.02 to 1.</summary>
        /// <value>0.07, the paper's.</value>
        [Range(0.02, 1.0)]
        public double Temperature { get; init; } = 0.07;

        /// <summary>The width of memories; 8 to 1,024.</summary>
        /// <value>64, as other banks here have; the paper has 128.</value>
        [Range(8, 1024)]
        public int KeyWidth { get; init; } = 64;

        /// <summary>The side of a piece as a share of its cell's; 0.3 to 1.</summary>
        /// <value>0.85, as jigsaw has.</value>
        [Range(0.3, 1.0)]
        public double PieceShare { get; init; } = 0.85;
    }

    /// <inheritdoc/>
    public override int KeyWidth => _options.KeyWidth;

    private protected override int Images => _options.Images;

    /// <summary>L_NCE of each row.</summary>
    /// <param name="memories">m, of length 1, [M, W].</param>
    /// <param name="rows">v, of length 1, [M, W].</param>
    /// <param name="others">m_k, of length 1, [B, W]; B may be 0.</param>
    /// <param name="own">Where a memory of <paramref name="others"/> is the row's own sample's and left out, [M, B], bool.</param>
    /// <param name="temperature">τ.</param>
    /// <returns>The mean, a scalar.</returns>
    public static Tensor Contrast(Tensor memories, Tensor rows, Tensor others, Tensor own, double temperature)
    {
        ArgumentNullException.ThrowIfNull(memories);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(others);
        using var scope = NewDisposeScope();
        var positive = (memories * rows).sum(1) / temperature;
        var exponentials = (rows.matmul(others.t()) / temperature).masked_fill(own, float.NegativeInfinity).exp();
        var sum = exponentials.sum(1);
        var recognised = (positive.exp() + sum).log() - positive;

        // 1 - h of another is Σ / (Σ + its own): never 0, and 1 where there is no other.
        var told = (exponentials / sum.clamp_min(LeastSum).unsqueeze(1)).log1p().sum(1);
        return (recognised + told).mean().MoveToOuterDisposeScope();
    }

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        StepBatch.CheckBank(batch, KeyWidth);
        var samples = pixels.shape[0];
        Tensor keys;
        using (no_grad())
        {
            keys = normalize(_memory.forward(batch.KeyFeatures.narrow(0, 0, batch.Samples.shape[0])), 2, dim: 1);
        }

        var memories = keys.index_select(0, rows);
        var own = batch.Samples.index_select(0, rows).unsqueeze(1).eq(batch.BankSamples.unsqueeze(0));
        Tensor Against(Tensor made) => Contrast(memories, normalize(made, 2, dim: 1), batch.BankKeys, own, _options.Temperature);

        // A random order for each sample: whatever it is, the same shall be made of it.
        var pieces = Pieces.Cut(pixels, rand([samples, Pieces.Count], generator: generator).argsort(1), _options.PieceShare, generator);
        var together = _pieces.forward(_piece.forward(batch.Encode(pieces)).view(samples, -1));
        var whole = _image.forward(batch.Encode(pixels));
        return new ObjectiveResult(
            new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["pieces"] = Against(together) * _options.Share, ["image"] = Against(whole) * (1 - _options.Share) },
            keys.clone());
    }
}
