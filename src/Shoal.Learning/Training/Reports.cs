namespace Shoal.Learning;

/// <summary>What a step did.</summary>
/// <param name="Losses">Each objective's terms as <c>objective.term</c>, before the objective's weight; <c>total</c> is the weighted sum.</param>
/// <param name="Fresh">Fresh samples trained on; those held out are not counted.</param>
/// <param name="Replayed">Samples rehearsed.</param>
/// <param name="Drift">How far the last samples are from the segment before (<see cref="TwoSampleTest"/>), when a new segment began; null otherwise.</param>
public sealed record StepReport(IReadOnlyDictionary<string, double> Losses, int Fresh, int Replayed, double? Drift = null);

/// <summary>What a refit decided.</summary>
/// <param name="Clusters">Clusters that were found; 0 when there were too few samples.</param>
/// <param name="Moved">The share of replayed samples whose cluster slot changed, after matching; 0 to 1.</param>
public sealed record RefitReport(int Clusters, double Moved)
{
    /// <summary>What becomes of the published clusters if this is published.</summary>
    public Descent Descent { get; init; } = Descent.None;
}

/// <summary>What speaks for or against publishing the learner's present state.</summary>
public sealed record Evidence
{
    /// <summary>How badly views of held-out samples agree on a cluster, less the entropy of their use; lower is better, NaN when there was nothing to judge by.</summary>
    public double HeldOutLoss { get; init; } = double.NaN;

    /// <summary>The same of the published version on the same views; NaN when none is published.</summary>
    public double PublishedLoss { get; init; } = double.NaN;

    /// <summary>The first part of <see cref="HeldOutLoss"/>: -log of the probability that a sample and its view are of one cluster, mean.</summary>
    public double Disagreement { get; init; } = double.NaN;

    /// <summary>The same of the published version; NaN when none is published.</summary>
    public double PublishedDisagreement { get; init; } = double.NaN;

    /// <summary>1 - the correlation of the two encoders' similarities between samples, mean over samples, 0 to 2: a rotation of the space is no drift. NaN when none is published.</summary>
    public double Drift { get; init; } = double.NaN;

    /// <summary>Mean standard deviation of the embedding's dimensions times the root of their number: near 0 when collapsed.</summary>
    public double Spread { get; init; }

    /// <summary>Clusters with at least one held-out sample.</summary>
    public int ClustersInUse { get; init; }

    /// <summary>Whether every number in the exported tensors is finite.</summary>
    public required bool Finite { get; init; }

    /// <summary>Evidence of nothing but that.</summary>
    /// <param name="finite">As <see cref="Finite"/>.</param>
    public static Evidence Of(bool finite) => new() { Finite = finite };
}
