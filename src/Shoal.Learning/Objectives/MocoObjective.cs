using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Momentum contrast: a view is told from keys of other samples in a memory bank by the key of its other view.</summary>
/// <remarks>
/// InfoNCE, He et al. 2020, "Momentum Contrast", eq. 1, with the projection of MoCo v2 (Chen et al. 2020):
/// L = -log(exp(q·k+/τ) / (exp(q·k+/τ) + Σ_bank exp(q·k-/τ))), mean over both directions A→B and B→A.
/// Bank keys of the query's own sample are left out: with replay they would be positives treated as negatives.
/// </remarks>
[Objective(
    "moco",
    Family = ObjectiveFamily.Contrastive,
    Source = "He et al. 2020, Momentum Contrast, eq. 1; Chen et al. 2020, MoCo v2",
    Needs = ObjectiveNeeds.KeyEncoder | ObjectiveNeeds.Bank)]
public sealed class MocoObjective : IObjective
{
    private readonly Options _options;
    private readonly Projections _own;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public MocoObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public MocoObjective(int featureWidth, Options options)
    {
        _options = ObjectiveOptions.Checked(options);
        _own = new Projections(featureWidth, options.KeyWidth);
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ; 0.02 to 1.</summary>
        /// <value>0.2, as MoCo v2 uses.</value>
        [Range(0.02, 1.0)]
        public double Temperature { get; init; } = 0.2;

        /// <summary>The projection's width; 8 to 1,024.</summary>
        /// <value>64: enough for a 256-wide feature, and a bank of 4,096 keys is 1 MB.</value>
        [Range(8, 1024)]
        public int KeyWidth { get; init; } = 64;
    }

    /// <inheritdoc/>
    public nn.Module Own => _own;

    /// <inheritdoc/>
    public int KeyWidth => _options.KeyWidth;

    /// <inheritdoc/>
    public ObjectiveResult Compute(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var count = StepBatch.CheckedCount(batch);
        StepBatch.CheckBank(batch, KeyWidth);

        var queries = normalize(_own.Query.forward(batch.Features), 2, dim: 1);
        Tensor keys;
        using (no_grad())
        {
            keys = normalize(_own.Key.forward(batch.KeyFeatures), 2, dim: 1);
        }

        // Each query's positive is the key of the other view.
        var others = cat([keys.narrow(0, count, count), keys.narrow(0, 0, count)]);
        queries = queries / _options.Temperature;
        var positive = (queries * others).sum(1);
        var loss = ((positive.exp() + Negatives(queries, batch)).log() - positive).mean();
        return new ObjectiveResult(
            new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["contrast"] = loss.MoveToOuterDisposeScope() },
            keys.narrow(0, 0, count).contiguous().MoveToOuterDisposeScope());
    }

    // Σ_bank exp(q·k-), [2N], of scaled queries. In place, one pass each over [2N, B]: a cosine over a temperature of 0.02
    // and more cannot overflow float32.
    private static Tensor Negatives(Tensor queries, StepBatch batch)
    {
        if (batch.BankKeys.shape[0] == 0)
        {
            return zeros(1, device: queries.device);
        }

        var own = batch.Samples.unsqueeze(1).eq(batch.BankSamples.unsqueeze(0));
        var logits = queries.matmul(batch.BankKeys.t());
        logits.view(2, own.shape[0], own.shape[1]).masked_fill_(own, float.NegativeInfinity);
        return logits.exp_().sum(1);
    }

    /// <inheritdoc/>
    public void AfterStep(double momentum) => Momentum.Follow(_own.Key, _own.Query, momentum);

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    private sealed class Projections : nn.Module
    {
        public Projections(long features, long keys)
            : base("moco")
        {
            Query = Projection(features, keys);
            Key = Projection(features, keys);
            register_module("query", Query);
            register_module("key", Key);
            Momentum.Follow(Key, Query, 0);
            Momentum.Freeze(Key);
        }

        public nn.Module<Tensor, Tensor> Query { get; }

        public nn.Module<Tensor, Tensor> Key { get; }

        private static nn.Module<Tensor, Tensor> Projection(long features, long keys)
            => nn.Sequential(nn.Linear(features, features), nn.ReLU(inplace: true), nn.Linear(features, keys));
    }
}
