namespace Shoal.Learning;

/// <summary>What a step did.</summary>
/// <param name="Losses">Each objective's terms as <c>objective.term</c>, before the objective's weight; <c>total</c> is the weighted sum.</param>
/// <param name="Fresh">Fresh samples trained on; those held out are not counted.</param>
/// <param name="Replayed">Samples rehearsed.</param>
/// <param name="Drift">How far the last samples are from the segment before (<see cref="TwoSampleTest"/>), when a new segment began; null otherwise.</param>
public sealed record StepReport(IReadOnlyDictionary<string, double> Losses, int Fresh, int Replayed, double? Drift = null);

/// <summary>What a refit decided.</summary>
/// <param name="Clusters">Clusters that are shown from now on; 0 when there were too few samples.</param>
/// <param name="Moved">The share of replayed samples whose cluster slot changed, after matching; 0 to 1.</param>
public sealed record RefitReport(int Clusters, double Moved);

/// <summary>What speaks for or against publishing the learner's present state.</summary>
/// <param name="HeldOutLoss">How badly views of held-out samples agree on a cluster, plus how unevenly clusters are used; lower is better.</param>
/// <param name="PublishedLoss">The same of the published version on the same views; NaN when none is published.</param>
/// <param name="Drift">1 - the correlation of the two encoders' similarities between samples, mean over samples, 0 to 2: a rotation of the space is no drift. NaN when none is published.</param>
/// <param name="Spread">Mean standard deviation of the embedding's dimensions times the root of their number: near 0 when collapsed.</param>
/// <param name="ClustersInUse">Clusters with at least one held-out sample.</param>
/// <param name="Slots">Slots for clusters (<see cref="Prototypes.Count"/>).</param>
/// <param name="Finite">Whether every number in the exported tensors is finite.</param>
public sealed record Evidence(double HeldOutLoss, double PublishedLoss, double Drift, double Spread, int ClustersInUse, int Slots, bool Finite);
