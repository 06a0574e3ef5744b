using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>The ends of rounds of a seat that trains with others: what each did is merged, one of them settles clusters, and all go on from that.</summary>
/// <param name="desk">What it works with.</param>
internal sealed class SharedRoundEnds(SeatDesk desk) : IRoundEnds
{
    // The model answers at once; merging and settling take a second or two.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    // The keys of all replicas as they were seen last, so that only those that came since are asked for.
    private BankState _seen = null!;

    // What the learner pushed itself since then begins behind this count.
    private long _own;

    /// <inheritdoc/>
    public double RoundSeconds { get; private set; } = desk.Deal.Settings.RoundSeconds;

    /// <inheritdoc/>
    public async Task<Learner> BeginAsync(CancellationToken cancellationToken)
    {
        _seen = TensorFiles.Bank(await Bank.PullAsync(0));
        _own = _seen.Count;
        return await LearnerBeginning.BuildAsync(desk, _seen, cancellationToken);
    }

    /// <inheritdoc/>
    public Task CheckAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public Task FinishAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task EndAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        SeatDelivery delivery = await CloseAsync(learner, work, cancellationToken);
        await desk.RetryAsync(
            async () =>
            {
                await desk.Model.DeliverPartAsync(delivery).WaitAsync(cancellationToken);
                return true;
            },
            cancellationToken);
        await AdoptAsync(learner, await OutcomeAsync(cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task IdleAsync(Learner learner, CancellationToken cancellationToken)
    {
        if (await AskAsync(cancellationToken) is { } outcome)
        {
            await AdoptAsync(learner, outcome, cancellationToken);
        }
    }

    private IMemoryBankGrain Bank => desk.Services.Grains.GetGrain<IMemoryBankGrain>(desk.Dataset);

    private async Task AdoptAsync(Learner learner, RoundOutcome outcome, CancellationToken cancellationToken)
    {
        if (!outcome.Taken)
        {
            throw new RoundMissedException();
        }

        SharedParts shared = await desk.RetryAsync(() => SharedParts.ReadAsync(desk.Services.Store, outcome.Parts), cancellationToken);
        _seen = Joined(_seen, TensorFiles.Bank(await desk.RetryAsync(() => Bank.PullAsync(_seen.Count), cancellationToken)), desk.Options.BankSize);
        _own = _seen.Count;
        await desk.ComputeAsync(
            () =>
            {
                learner.Adopt(shared.Settlement(), _seen);
                return true;
            },
            cancellationToken);
        (desk.Round, RoundSeconds) = (outcome.NextRound, outcome.Seconds);
    }

    private async Task<SeatDelivery> CloseAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        (IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> snapshot, BankState keys) = await desk.ComputeAsync(() => (learner.Snapshot(), learner.BankSince(_own)), cancellationToken);
        Dictionary<string, Claim> claims = new(StringComparer.Ordinal);
        foreach ((var name, IReadOnlyList<NamedTensor> tensors) in snapshot)
        {
            claims[name] = await desk.WriteAsync(desk.Round, $"{desk.Deal.Seat:D4}-{name}", tensors, cancellationToken);
        }

        claims.Remove("model", out Claim? model);
        return new SeatDelivery
        {
            Seat = desk.Seat,
            Term = desk.Deal.Term,
            Round = desk.Round,
            Cursors = work.Cursors,
            Model = model!,
            Share = new SeatShare { Shards = [.. work.Cursors.Select(cursor => cursor.Shard)], Parts = claims },
            Samples = work.Samples,
            BackwardPasses = work.BackwardPasses,
            Keys = TensorFiles.Keys(keys),
            Progress = work.Progress with { Rested = work.Resting },
            Resting = work.Resting,
            EndedAt = desk.Services.Time.GetUtcNow(),
            Drifts = [.. work.Drifts],
            Skipped = work.Skipped,
        };
    }

    private async Task<RoundOutcome> OutcomeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await AskAsync(cancellationToken) is { } outcome)
            {
                return outcome;
            }

            await Task.Delay(Look, desk.Services.Time, cancellationToken);
        }
    }

    private Task<RoundOutcome?> AskAsync(CancellationToken cancellationToken) =>
        desk.RetryAsync(() => desk.Model.GetOutcomeAsync(desk.Seat, desk.Deal.Term, desk.Round).WaitAsync(cancellationToken), cancellationToken);

    // Those known and those that came since, the last so many.
    private static BankState Joined(BankState known, BankState since, int capacity)
    {
        if (since.Samples.Length == 0)
        {
            return known;
        }

        var width = since.Width;
        var kept = Math.Clamp(capacity - since.Samples.Length, 0, known.Samples.Length);
        return new BankState(
            since.Count,
            width,
            [.. known.Keys[^(kept * width)..], .. since.Keys],
            [.. known.Samples[^kept..], .. since.Samples],
            [.. known.Steps[^kept..], .. since.Steps]);
    }
}

/// <summary>A seat came too late for a round: it begins again from the manifest, and the others do not wait.</summary>
internal sealed class RoundMissedException() : Exception("This seat came too late for a round of the others; it begins again from the manifest.");
