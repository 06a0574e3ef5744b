using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>What a seat does at the end of each round: alone it settles and delivers everything, with others what it did is merged.</summary>
internal interface IRoundEnds
{
    /// <summary>For how many seconds a round trains.</summary>
    double RoundSeconds { get; }

    /// <summary>Builds the learner that the deal begins from.</summary>
    /// <param name="cancellationToken">Ends the wait for the compute thread.</param>
    Task<Learner> BeginAsync(CancellationToken cancellationToken);

    /// <summary>Called before each step: takes up what a delivery under way came to, and throws it if it failed: what was trained since is built on it.</summary>
    /// <param name="learner">The learner; not in use.</param>
    /// <param name="cancellationToken">Ends the waits.</param>
    Task CheckAsync(Learner learner, CancellationToken cancellationToken);

    /// <summary>Ends a round.</summary>
    /// <param name="learner">The learner; not in use.</param>
    /// <param name="work">What was done in the round.</param>
    /// <param name="cancellationToken">Ends the waits.</param>
    /// <exception cref="ShoalException">Conflict: the round is refused, the seat ends.</exception>
    Task EndAsync(Learner learner, RoundWork work, CancellationToken cancellationToken);

    /// <summary>Called while there is nothing to do: others may have ended a round.</summary>
    /// <param name="learner">The learner; not in use.</param>
    /// <param name="cancellationToken">Ends the waits.</param>
    Task IdleAsync(Learner learner, CancellationToken cancellationToken);

    /// <summary>Waits until nothing is under way any more; never throws.</summary>
    Task FinishAsync();
}

/// <summary>What a seat did in a round.</summary>
/// <param name="Cursors">Where it reads each of its shards next.</param>
/// <param name="Samples">Fresh samples trained on.</param>
/// <param name="BackwardPasses">Samples that a backward pass went through.</param>
/// <param name="Drifts">What changed in the stream.</param>
/// <param name="Skipped">What was not trained on because it could not follow.</param>
/// <param name="Progress">Its progress at the end.</param>
/// <param name="Resting">Whether it has nothing more to learn from now.</param>
internal sealed record RoundWork(ShardCursor[] Cursors, long Samples, long BackwardPasses, IReadOnlyList<DriftSighting> Drifts, SkippedRange[] Skipped, SeatProgress Progress, bool Resting);
