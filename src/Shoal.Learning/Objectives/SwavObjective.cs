using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>A view's code, an equal partition of the batch over prototypes of the objective's own, is predicted from the other view.</summary>
/// <remarks>
/// Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", eq. 1 to 5: codes Q maximise Tr(QᵀC) + ε·H(Q) over
/// partitions of equal size (Sinkhorn-Knopp), L = -½ mean (Σ_k q_k(A) · log softmax(c(B)/τ)_k + the same from B to A). Embeddings and prototypes are of length 1.
/// Where views have small crops, both codes are predicted from each of them, too (eq. 6), and L is the mean over all pairs.
/// With the queue, embeddings that earlier steps had of the same view take part in the partition (section 3.1, "working with small batches"); it lies in the memory bank,
/// a row for each sample's two views. Beside <c>sinkhorn</c>, which does this with the cluster heads that are shown, these prototypes only shape the features.
/// </remarks>
[Objective("swav", Family = ObjectiveFamily.Clustering, Source = "Caron et al. 2020, SwAV, eq. 1 to 6", Needs = ObjectiveNeeds.Crops)]
public sealed class SwavObjective : ViewObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _projector;
    private readonly Parameter _prototypes;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public SwavObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public SwavObjective(int featureWidth, Options options)
        : base("swav")
    {
        _options = ObjectiveOptions.Checked(options);
        _projector = Networks.Learned("projector", Mlp.Normed([featureWidth, featureWidth, options.Width]));
        _prototypes = Networks.Learned("prototypes", normalize(randn(options.Prototypes, options.Width), 2, dim: 1));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>K; 2 to 10,000.</summary>
        /// <value>100: several for each kind, as the paper's 3,000 for 1,000 classes, and fewer than a step's samples, so that they can be divided equally.</value>
        [Range(2, 10000)]
        public int Prototypes { get; init; } = 100;

        /// <summary>τ; 0.01 to 10.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 10.0)]
        public double Temperature { get; init; } = 0.1;

        /// <summary>ε, how soft codes are; 0.01 to 1.</summary>
        /// <value>0.05, the paper's.</value>
        [Range(0.01, 1.0)]
        public double Softness { get; init; } = 0.05;

        /// <summary>Normalisations of prototypes and samples in turn; 1 to 100.</summary>
        /// <value>3, the paper's.</value>
        [Range(1, 100)]
        public int Iterations { get; init; } = 3;

        /// <summary>The width of embeddings and prototypes; 8 to 512.</summary>
        /// <value>128, the paper's.</value>
        [Range(8, 512)]
        public int Width { get; init; } = 128;

        /// <summary>Whether embeddings of earlier steps take part in the partition.</summary>
        /// <value>false: a step has more samples than there are prototypes; the paper has a queue where it is the other way about.</value>
        public bool Queue { get; init; }
    }

    /// <inheritdoc/>
    public override int KeyWidth => _options.Queue ? 2 * _options.Width : 0;

    /// <inheritdoc/>
    public override void AfterStep(double momentum)
    {
        // The loss sees directions alone: without this lengths would grow, and steps of the optimiser turn ever less.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _prototypes.copy_(normalize(_prototypes, 2, dim: 1));
        base.AfterStep(momentum);
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var embedded = features.Through(_projector).Unit();

        // Merged replicas' prototypes are means, shorter than 1.
        var prototypes = normalize(_prototypes, 2, dim: 1).t();
        Tensor[] crops = Array.ConvertAll(batch.Crops(), crop => normalize(_projector.forward(crop), 2, dim: 1));
        Tensor Swapped(Tensor coded, Tensor other, Tensor earlier)
        {
            var cosines = cat([earlier, coded.detach()]).matmul(prototypes).unsqueeze(0);
            var codes = SinkhornObjective.Codes(cosines, _options.Softness, _options.Iterations).squeeze(0).narrow(0, earlier.shape[0], coded.shape[0]);
            Tensor Predicted(Tensor from) => (codes * log_softmax(from.matmul(prototypes) / _options.Temperature, 1)).sum(1).mean();
            return crops.Aggregate(Predicted(other), (sum, crop) => sum + Predicted(crop));
        }

        var earlier = Earlier(batch);
        var result = Of(("swapped", (Swapped(embedded.A, embedded.B, earlier.A) + Swapped(embedded.B, embedded.A, earlier.B)) / (-2 * (1 + crops.Length))));
        return _options.Queue ? result with { Keys = cat([embedded.A, embedded.B], 1).detach() / Math.Sqrt(2) } : result;
    }

    // Both halves of a key that is of length 1 together; zeros, which are of forgotten samples, are no embeddings.
    private Views Earlier(StepBatch batch)
    {
        if (!_options.Queue)
        {
            var none = zeros(0, _options.Width, device: batch.Features.device);
            return new Views(none, none);
        }

        StepBatch.CheckBank(batch, KeyWidth);
        var known = batch.BankKeys.index_select(0, batch.BankSamples.ge(0).nonzero().squeeze(1)) * Math.Sqrt(2);
        return new Views(known.narrow(1, 0, _options.Width), known.narrow(1, _options.Width, _options.Width));
    }
}
