using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>What a round came to, copied out of libtorch and of the trainer: the next round goes on changing both.</summary>
internal sealed record ClosedRound(
    long Round, ShardCursor[] Cursors, long Samples, IReadOnlyList<DriftSighting> Drifts, SeatProgress Progress, bool Resting, DateTimeOffset EndedAt,
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
        Evidence = new CandidateEvidence
        {
            HeldOutLoss = Evidence.HeldOutLoss,
            PublishedLoss = Evidence.PublishedLoss,
            Disagreement = Evidence.Disagreement,
            PublishedDisagreement = Evidence.PublishedDisagreement,
            Drift = Evidence.Drift,
            Spread = Evidence.Spread,
            ClustersInUse = Evidence.ClustersInUse,
            Finite = Evidence.Finite,
            EncoderHash = TensorFiles.EncoderHash(Candidate),
        },
        Descent = new ClusterDescent
        {
            Inherited = [.. Descent.Inherited],
            Parents = [.. Descent.Parents],
            Sizes = [.. Descent.Sizes],
            Heirs = new Dictionary<long, int>(Descent.Heirs),
        },
        Progress = Progress,
        Resting = Resting,
        EndedAt = EndedAt,
        Drifts = [.. Drifts],
    };
}
