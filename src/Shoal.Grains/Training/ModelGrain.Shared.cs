using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Hosting;

namespace Shoal.Grains.Training;

// Rounds of several seats: gathered, merged by one of them, and committed as those of one seat are.
internal sealed partial class ModelGrain
{
    private static readonly TimeSpan RoundLook = TimeSpan.FromSeconds(1);

    // Rounds end by the clock, within a step of each other; a seat whose shards have nothing more delivers earlier, and the others are not late for that.
    private static readonly TimeSpan RoundPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(60);
    private const double WorkForEachWait = 8;

    // A round is what a crash costs.
    private const double MostRounds = 3;

    // The round that is gathered, and the last one that ended; null where one seat trains.
    private SharedRound? _gathering;
    private SharedRound? _gathered;
    private IGrainTimer? _rounds;
    private int _attempts;

    /// <inheritdoc/>
    public async Task DeliverPartAsync(SeatDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        CheckTerm(delivery.Term);
        if (_gathering is null || delivery.Round > _gathering.Round)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"Round {delivery.Round} is not under way.");
        }

        if (delivery.Round == _gathering.Round)
        {
            _gathering.Take(delivery, time.GetTimestamp());
            if (Array.TrueForAll(_plan.Seats, _gathering.Has))
            {
                await EndRoundAsync(_gathering, []);
            }
        }
        else if (_gathered is null || delivery.Round != _gathered.Round || !_gathered.Has(delivery.Seat))
        {
            _gathered?.Missed(delivery.Seat);
            _late[delivery.Seat] = _late.GetValueOrDefault(delivery.Seat) + 1;
            _dealsAnew |= _late[delivery.Seat] % MostLate == 0;
            LogLate(Dataset, delivery.Round, delivery.Seat);
        }
    }

    /// <inheritdoc/>
    public Task<RoundOutcome?> GetOutcomeAsync(string seat, long term, long round)
    {
        CheckTerm(term);
        // While a round is being committed the manifest is a round further already.
        RoundOutcome? outcome = _gathered?.Round == round ? _gathered.OutcomeFor(seat)
            : _gathering?.Round == round ? null
            : round < Current.Round ? new RoundOutcome(Current.Round, Current.State.Parts, Taken: false, _settings!.RoundSeconds)
            : null;
        return Task.FromResult(outcome);
    }

    private async Task LookAtRoundAsync(CancellationToken cancellationToken)
    {
        if (_gathering is null)
        {
            _rounds?.Dispose();
            _rounds = null;
            return;
        }

        try
        {
            await EndRoundIfOverAsync();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            _problem = e.Message;
            LogMergeFailed(Dataset, _gathering?.Round ?? 0, e);
        }
    }

    /// <summary>Ends the round when every seat has delivered or has nothing to do, or the time of the others is up. Asks those that have not: once a second, and not at each delivery.</summary>
    private async Task EndRoundIfOverAsync()
    {
        if (_gathering is not { LastAt: not null } round)
        {
            return;
        }

        string[] missing = [.. _plan.Seats.Where(seat => !round.Has(seat))];
        SeatReport?[] reports = await Task.WhenAll(missing.Select(ReportAsync));
        string[] idle = [.. missing.Where((_, i) => reports[i] is { Activity: "idle" } report && report.Term == Current.Term)];
        if (idle.Length == missing.Length || time.GetElapsedTime(round.BegunAt).TotalSeconds >= round.Seconds + RoundPatience.TotalSeconds)
        {
            await EndRoundAsync(round, idle);
        }
    }

    private async Task EndRoundAsync(SharedRound round, string[] idle)
    {
        SeatDelivery[] delivered = [.. round.Deliveries.OrderBy(delivery => Array.IndexOf(_plan.Seats, delivery.Seat))];
        Checkpoint before = Current.State;
        HashSet<int> covered = [.. delivered.SelectMany(delivery => delivery.Share.Shards)];
        // Of shards that nobody delivered, what was kept before stays.
        SeatShare[] left = [.. before.EverySeat().Where(share => share.Shards.Any(shard => !covered.Contains(shard)))];
        SettleResult settled = await SettleAsync(round.Round, delivered, left, before);
        // Each has made more keys than the bank holds: it is filled with the last ones of all.
        var keys = LearnerSettings.Options(_settings!).BankSize / delivered.Length;
        foreach (SeatDelivery delivery in delivered)
        {
            _bank = await GrainFactory.GetGrain<IMemoryBankGrain>(Dataset).PushAsync(_bank.Epoch, TensorFiles.Last(delivery.Keys, keys) with { First = _bank.Count });
        }

        RoundDelivery whole = Whole(round.Round, delivered, settled, before);
        (var retreats, var reason) = await CommitAsync(
            whole, new Checkpoint { Cursors = whole.Cursors, Parts = settled.Parts, Seats = [.. delivered.Select(delivery => delivery.Share), .. left], Progress = whole.Progress });
        if (retreats)
        {
            // The term is another: every seat ends at its next call, and the watch deals anew.
            (_gathering, _gathered) = (null, null);
            LogRetreats(Dataset, round.Round, reason);
            return;
        }

        var seconds = SecondsOfNext(round);
        round.End(new RoundOutcome(Current.Round, settled.Parts, Taken: true, seconds), idle);
        (_gathered, _gathering) = (round, new SharedRound(Current.Round, time.GetTimestamp(), seconds));
    }

    // The seat that settles trains on nothing meanwhile: that may take an eighth of its time.
    private double SecondsOfNext(SharedRound round) =>
        Math.Clamp(WorkForEachWait * time.GetElapsedTime(round.LastAt!.Value).TotalSeconds, _settings!.RoundSeconds, MostRounds * _settings.RoundSeconds);

    /// <summary>Has one of the seats that delivered merge and settle; another when that one fails.</summary>
    private async Task<SettleResult> SettleAsync(long round, SeatDelivery[] delivered, SeatShare[] left, Checkpoint before)
    {
        var request = new SettleRequest
        {
            Term = Current.Term,
            Round = round,
            Parts =
            [
                .. delivered.Select(delivery => new SettlePart(delivery.Model, delivery.BackwardPasses, delivery.Share.Parts["progress"], delivery.Share.Parts["replay"])),
                .. left.Select(share => new SettlePart(null, 0, share.Parts["progress"], share.Parts["replay"])),
            ],
            Clusters = before.Parts.GetValueOrDefault("clusters") ?? before.Parts.GetValueOrDefault("progress"),
            Attempt = _attempts++,
            Published = Current.Version,
            PublishedIsNews = Current.StateIsPublished,
            Model = LearnerSettings.OuterMomentum(_settings!) > 0 ? before.Parts.GetValueOrDefault(SharedParts.ModelName) : null,
            Outer = before.Parts.GetValueOrDefault(SharedParts.OuterName),
        };
        for (var i = 0; ; i++)
        {
            try
            {
                return await GrainFactory.GetGrain<IReplicaGrain>(delivered[i].Seat).SettleAsync(request).WaitAsync(SettlePatience, time);
            }
            catch (Exception e) when (i < delivered.Length - 1 && Failures.IsExpected(e))
            {
                LogMergeFailed(Dataset, round, e);
            }
        }
    }

    private RoundDelivery Whole(long round, SeatDelivery[] delivered, SettleResult settled, Checkpoint before)
    {
        var cursors = before.Cursors.ToDictionary(cursor => cursor.Shard);
        foreach (ShardCursor cursor in delivered.SelectMany(delivery => delivery.Cursors))
        {
            cursors[cursor.Shard] = cursor;
        }

        return new RoundDelivery
        {
            Seat = delivered[0].Seat,
            Term = Current.Term,
            Round = round,
            Cursors = [.. cursors.Values.OrderBy(cursor => cursor.Shard)],
            Parts = settled.Parts,
            Samples = delivered.Sum(delivery => delivery.Samples),
            Keys = delivered[0].Keys,
            Candidate = settled.Candidate,
            Evidence = settled.Evidence,
            Progress = SeatProgresses.Merged(before.Progress, delivered),
            Resting = Array.TrueForAll(delivered, delivery => delivery.Resting),
            EndedAt = delivered.Max(delivery => delivery.EndedAt),
            // All see the same stream: what one noticed the others will have, too.
            Drifts = delivered.Select(delivery => delivery.Drifts).MaxBy(drifts => drifts.Length)!,
            Descent = settled.Descent,
            Skipped = [.. delivered.SelectMany(delivery => delivery.Skipped)],
        };
    }

    [LoggerMessage(EventId = 404, EventName = "RoundLate", Level = LogLevel.Warning, Message = "{Dataset}: round {Round} of {Seat} came too late; it begins again from what the others came to")]
    private partial void LogLate(string dataset, long round, string seat);

    [LoggerMessage(EventId = 405, EventName = "MergeFailed", Level = LogLevel.Warning, Message = "{Dataset}: round {Round} could not be merged; it is tried again")]
    private partial void LogMergeFailed(string dataset, long round, Exception exception);

    [LoggerMessage(EventId = 406, EventName = "RoundRefused", Level = LogLevel.Warning, Message = "{Dataset}: round {Round} is refused: {Reason}")]
    private partial void LogRetreats(string dataset, long round, string reason);
}
