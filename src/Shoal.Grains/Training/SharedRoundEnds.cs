using System.Diagnostics;
using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>The ends of rounds of a seat that trains with others: what each did is merged, one of them settles clusters, and all go on from that.</summary>
/// <remarks>Where its encoder allows it, a seat trains on meanwhile, and adds what it learned since to what was merged; those steps count for the next round.</remarks>
/// <param name="desk">What it works with.</param>
internal sealed class SharedRoundEnds(SeatDesk desk) : IRoundEnds
{
    // The model answers at once; merging and settling take a second or two.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    // The keys of all replicas as they were seen last, so that only those that came since are asked for.
    private BankState _seen = null!;

    // What the learner pushed itself since then begins behind this count.
    private long _own;

    // The round that was handed over and is not over yet: what comes of it, the model as it was, and how many keys there were.
    private (Task<RoundOutcome> Outcome, IReadOnlyList<NamedTensor> Model, long Keys)? _handedOver;

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
    public Task CheckAsync(Learner learner, CancellationToken cancellationToken) =>
        _handedOver is { Outcome.IsCompleted: true } ? TakeUpAsync(learner, cancellationToken) : Task.CompletedTask;

    /// <inheritdoc/>
    public async Task FinishAsync()
    {
        if (_handedOver is { } round)
        {
            await ((Task)round.Outcome).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public async Task EndAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        // At most one round is under way.
        await TakeUpAsync(learner, cancellationToken);
        (SeatDelivery delivery, IReadOnlyList<NamedTensor> model, var keys) = await CloseAsync(learner, work, cancellationToken);
        await desk.RetryAsync(
            async () =>
            {
                await desk.Model.DeliverPartAsync(delivery).WaitAsync(cancellationToken);
                return true;
            },
            cancellationToken);
        _handedOver = (OutcomeAsync(cancellationToken), model, keys);
        if (work.Resting || !learner.MayGoOn)
        {
            await TakeUpAsync(learner, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task IdleAsync(Learner learner, CancellationToken cancellationToken)
    {
        if (_handedOver is null && await AskAsync(cancellationToken) is { } outcome)
        {
            // Nothing was done since: no model has moved, and no key is its own.
            await AdoptAsync(learner, outcome, handedOver: null, long.MaxValue, cancellationToken);
        }
    }

    private IMemoryBankGrain Bank => desk.Services.Grains.GetGrain<IMemoryBankGrain>(desk.Dataset);

    private async Task TakeUpAsync(Learner learner, CancellationToken cancellationToken)
    {
        if (_handedOver is { } round)
        {
            await AdoptAsync(learner, await round.Outcome, round.Model, round.Keys, cancellationToken);
            _handedOver = null;
        }
    }

    // With what it learned since it handed over its model, and the keys that it made since there were so many.
    private async Task AdoptAsync(Learner learner, RoundOutcome outcome, IReadOnlyList<NamedTensor>? handedOver, long keys, CancellationToken cancellationToken)
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
                BankState since = learner.BankSince(keys);
                learner.Adopt(shared.Settlement(), Joined(_seen, since with { Count = _own + since.Samples.Length }, desk.Options.BankSize), handedOver);
                return true;
            },
            cancellationToken);
        (desk.Round, RoundSeconds) = (outcome.NextRound, outcome.Seconds);
    }

    private async Task<(SeatDelivery Delivery, IReadOnlyList<NamedTensor> Model, long Keys)> CloseAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        (IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> snapshot, BankState keys) = await desk.ComputeAsync(() => (learner.Snapshot(), learner.BankSince(_own)), cancellationToken);
        Dictionary<string, Claim> claims = new(StringComparer.Ordinal);
        using Activity? span = Traces.Source.StartActivity(Traces.Checkpoint);
        span?.SetTag(Traces.DatasetTag, desk.Dataset).SetTag(Traces.RoundTag, desk.Round);
        foreach ((var name, IReadOnlyList<NamedTensor> tensors) in snapshot)
        {
            claims[name] = await desk.WriteAsync(desk.Round, $"{desk.Deal.Seat:D4}-{name}", tensors, cancellationToken);
        }

        claims.Remove("model", out Claim? model);
        var delivery = new SeatDelivery
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
        return (delivery, snapshot["model"], keys.Count);
    }

    private async Task<RoundOutcome> OutcomeAsync(CancellationToken cancellationToken)
    {
        // Twenty looks a second are no part of the round's trace.
        Activity.Current = null;
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
