using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters: a sample, its other view and its neighbour shall agree on one cluster, and all clusters be used.</summary>
/// <remarks>
/// Van Gansbeke et al. 2020, "SCAN", eq. 2: L = -mean log⟨p, p'⟩ - λ·H(mean p), here trained through the encoder, with the
/// pair (A, B) of every sample beside the mined pairs, summed over pairs of either kind and averaged over heads. The mean
/// for H is taken over replayed rows only: on a stream that is not iid, fresh samples say nothing about the prior.
/// </remarks>
[Objective(
    "scan",
    Family = ObjectiveFamily.Clustering,
    Source = "Van Gansbeke et al. 2020, SCAN, eq. 2",
    Needs = ObjectiveNeeds.Neighbours | ObjectiveNeeds.Heads | ObjectiveNeeds.Replay,
    TrainsHead = true)]
public sealed class ScanObjective : IObjective
{
    // ⟨p, p'⟩ can underflow to 0 in float32 when both are certain of different clusters.
    private const double Floor = 1e-7;

    private readonly Options _options;
    private readonly nn.Module _own = nn.Sequential();

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width; not needed.</param>
    public ScanObjective(int featureWidth)
        : this(new Options())
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(featureWidth);
    }

    /// <summary>With given options.</summary>
    /// <param name="options">Settings.</param>
    public ScanObjective(Options options) => _options = ObjectiveOptions.Checked(options);

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>λ, the weight of the prior over clusters; 0 to 100.</summary>
        /// <value>2, the paper's default; its runs' 5 forces classes of unequal size into equal clusters harder.</value>
        [Range(0.0, 100.0)]
        public double Balance { get; init; } = 2;
    }

    /// <inheritdoc/>
    public nn.Module Own => _own;

    /// <inheritdoc/>
    public int KeyWidth => 0;

    /// <inheritdoc/>
    public ObjectiveResult Compute(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var count = StepBatch.CheckedCount(batch);
        if (batch.Anchors.dim() != 1 || !batch.Anchors.shape.AsSpan().SequenceEqual(batch.Neighbours.shape))
        {
            throw new ArgumentException(
                $"Anchors {StepBatch.Text(batch.Anchors)} and neighbours {StepBatch.Text(batch.Neighbours)} must be [P] alike.", nameof(batch));
        }

        var p = batch.Head.LogProbabilities(normalize(batch.Features, 2, dim: 1)).exp();
        var (a, b) = (p.narrow(1, 0, count), p.narrow(1, count, count));
        var terms = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["views"] = Disagreement(a, b).MoveToOuterDisposeScope() };
        if (batch.Anchors.shape[0] > 0)
        {
            var crossed = Disagreement(a.index_select(1, batch.Anchors), b.index_select(1, batch.Neighbours))
                + Disagreement(b.index_select(1, batch.Anchors), a.index_select(1, batch.Neighbours));
            terms["neighbours"] = (crossed / 2).MoveToOuterDisposeScope();
        }

        if (batch.Replayed.shape[0] > 0)
        {
            var mean = (a.index_select(1, batch.Replayed).mean([1]) + b.index_select(1, batch.Replayed).mean([1])) / 2;
            terms["balance"] = ((mean * mean.clamp_min(Floor).log()).sum(1).mean() * _options.Balance).MoveToOuterDisposeScope();
        }

        return new ObjectiveResult(terms);
    }

    /// <inheritdoc/>
    public void AfterStep(double momentum)
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    // [H, P, K] twice -> scalar: -log of the probability that both draw the same cluster.
    private static Tensor Disagreement(Tensor first, Tensor second)
        => (first * second).sum(2).clamp_min(Floor).log().mean().neg();
}
