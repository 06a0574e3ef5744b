using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>What a round came to, copied out of libtorch and of the trainer: the next round goes on changing both.</summary>
internal sealed record ClosedRound(
    long Round, ShardCursor[] Cursors, long Samples, IReadOnlyList<DriftSighting> Drifts, SkippedRange[] Skipped, SeatProgress Progress, bool Resting, DateTimeOffset EndedAt,
    IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> Parts, BankState Keys, IReadOnlyList<NamedTensor> Candidate, Evidence Evidence, Descent Descent)
{
    /// <summary>The message that hands it over.</summary>
    /// <param name="seat">The seat's grain key.</param>
    /// <param name="term">The deal that it worked under.</param>
    /// <param name="parts">Where <see cref="Parts"/> were written.</param>
    /// <param name="candidate">Where <see cref="Candidate"/> was written.</param>
    public RoundDelivery Deliver(string seat, long term, Dictionary<string, Claim> parts, Claim candidate) => new()
    {
        Seat = seat,
        Term = term,
        Round = Round,
        Cursors = Cursors,
        Parts = parts,
        Samples = Samples,
        Keys = TensorFiles.Keys(Keys),
        Candidate = candidate,
        Evidence = Message(Evidence, Candidate),
        Descent = Message(Descent),
        Progress = Progress,
        Resting = Resting,
        EndedAt = EndedAt,
        Drifts = [.. Drifts],
        Skipped = Skipped,
    };

    /// <summary>Evidence as a message.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="candidate">What it is about.</param>
    public static CandidateEvidence Message(Evidence evidence, IReadOnlyList<NamedTensor> candidate) => new()
    {
        HeldOutLoss = evidence.HeldOutLoss,
        PublishedLoss = evidence.PublishedLoss,
        Disagreement = evidence.Disagreement,
        PublishedDisagreement = evidence.PublishedDisagreement,
        Drift = evidence.Drift,
        Spread = evidence.Spread,
        ClustersInUse = evidence.ClustersInUse,
        Finite = evidence.Finite,
        EncoderHash = TensorFiles.EncoderHash(candidate),
    };

    /// <summary>A descent as a message.</summary>
    /// <param name="descent">The descent.</param>
    public static ClusterDescent Message(Descent descent) => new()
    {
        Inherited = [.. descent.Inherited],
        Parents = [.. descent.Parents],
        Sizes = [.. descent.Sizes],
        Heirs = new Dictionary<long, int>(descent.Heirs),
    };
}
