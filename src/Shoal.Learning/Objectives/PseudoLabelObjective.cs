using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters: both views of a rehearsed sample shall be recognised as of the community that its embedding was last found in.</summary>
/// <remarks>
/// Cross-entropy of the cosine softmax with pseudo-labels that are found anew at every mining (Caron et al. 2018,
/// "DeepCluster", eq. 2), here as communities of the neighbour graph: L = -mean log p(label), over both views, labelled rows
/// and heads. Nothing pulls towards clusters of equal size, so that a stream that has shown two classes is not torn into ten.
/// </remarks>
[Objective(
    "pseudolabel",
    Family = ObjectiveFamily.Clustering,
    Source = "Caron et al. 2018, DeepCluster, eq. 2",
    Needs = ObjectiveNeeds.Labels | ObjectiveNeeds.Heads)]
public sealed class PseudoLabelObjective : IObjective
{
    private readonly nn.Module _own = nn.Sequential();

    /// <summary>It has no options.</summary>
    /// <param name="featureWidth">The encoder's width; not needed.</param>
    public PseudoLabelObjective(int featureWidth) => ArgumentOutOfRangeException.ThrowIfNegativeOrZero(featureWidth);

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
        var known = StepBatch.CheckedLabels(batch);
        var terms = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var labelled = known.ge(0).nonzero().squeeze(1);
        if (labelled.shape[0] > 0)
        {
            var rows = cat([labelled, labelled + count]);
            var labels = known.index_select(0, labelled).repeat(2);
            var p = batch.Head.LogProbabilities(normalize(batch.Features.index_select(0, rows), 2, dim: 1));
            terms["recognition"] = p.gather(2, labels.view(1, -1, 1).expand(p.shape[0], -1, 1)).mean().neg().MoveToOuterDisposeScope();
        }

        return new ObjectiveResult(terms);
    }

    /// <inheritdoc/>
    public void AfterStep(double momentum)
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();
}
