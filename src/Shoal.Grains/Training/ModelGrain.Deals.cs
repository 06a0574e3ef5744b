using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Grains.Shards;
using Shoal.Grains.Silos;

namespace Shoal.Grains.Training;

// Who trains on which shards.
internal sealed partial class ModelGrain
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(5);

    // A silo that does not answer within this may be dead without anyone knowing yet: nobody waits for it.
    private static readonly TimeSpan SeatPatience = TimeSpan.FromSeconds(3);

    // Rounds that a seat was late for until it is dealt fewer shards.
    private const int MostLate = 2;

    private readonly Dictionary<string, int> _late = new(StringComparer.Ordinal);
    private SeatPlan _plan = SeatPlan.None;
    private IGrainTimer? _watch;
    private bool _dealsAnew;

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        _settings = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        _paused = _settings.Paused;
        if (_paused)
        {
            return;
        }

        _seats ??= metrics.Seats.Add(Dataset, () => _plan.Seats.Length);
        _watch ??= this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchInterval, WatchInterval) { KeepAlive = true });
        var seats = SeatsToDeal();
        if (seats.Length == 0)
        {
            // Whoever created or resumed it has done so; training begins with the first silo that computes.
            (_plan, _gathering, _problem) = (SeatPlan.None, null, RoleFilterDirector.NoSilo(SiloRoles.Compute).Message);
        }
        else if (_dealsAnew || !seats.SequenceEqual(_plan.Seats, StringComparer.Ordinal) || !await SeatsWorkAsync())
        {
            await DealAsync(seats);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        _paused = true;
        _watch?.Dispose();
        _seats?.Dispose();
        (_watch, _seats) = (null, null);
        var seats = _plan.Seats;
        (_plan, _gathering) = (SeatPlan.None, null);
        await Task.WhenAll(seats.Select(seat => GrainFactory.GetGrain<IReplicaGrain>(seat).StopAsync()));
    }

    /// <inheritdoc/>
    public Task<SeatPlan> GetSeatsAsync() => Task.FromResult(_plan);

    /// <inheritdoc/>
    public Task<Deal> GetDealAsync(string seat, long term)
    {
        CheckTerm(term);
        return Task.FromResult(DealOf(Array.IndexOf(_plan.Seats, seat)));
    }

    private async Task DealAsync(string[] seats)
    {
        await RegisterAsync();
        Manifest manifest = Current;
        var cursors = manifest.State.Cursors.ToDictionary(c => c.Shard, c => c.Next);
        manifest = manifest with
        {
            Term = manifest.Term + 1,
            State = manifest.State with { Cursors = [.. Enumerable.Range(0, _settings!.Shards).Select(s => new ShardCursor(s, cursors.GetValueOrDefault(s)))] },
        };
        // The term is durable before anyone works under it: a delivery of the deal before can no longer be taken.
        await SwapAsync(manifest);
        _bank = await GrainFactory.GetGrain<IMemoryBankGrain>(Dataset).BeginAsync(manifest.State.Bank, LearnerSettings.Options(_settings).BankSize);
        foreach (var gone in _plan.Seats.Except(seats, StringComparer.Ordinal))
        {
            // It may be dead; where it is not, the term keeps what it still delivers out.
            GrainFactory.GetGrain<IReplicaGrain>(gone).StopAsync().Ignore();
            _late.Remove(gone);
        }

        _plan = new SeatPlan(seats, Dealing.Of(_settings.Shards, [.. seats.Select(seat => 1.0 / (1 + (_late.GetValueOrDefault(seat) / MostLate)))]));
        (_dealsAnew, _gathering, _gathered) = (false, seats.Length > 1 ? new SharedRound(manifest.Round, time.GetTimestamp(), _settings.RoundSeconds) : null, null);
        if (_gathering is not null)
        {
            _rounds ??= this.RegisterGrainTimer(LookAtRoundAsync, new GrainTimerCreationOptions(RoundLook, RoundLook) { KeepAlive = true });
        }

        await Task.WhenAll(seats.Select((seat, i) => GrainFactory.GetGrain<IReplicaGrain>(seat).BeginAsync(DealOf(i)).WaitAsync(SeatPatience, time)));
        _problem = null;
        await AnnounceAsync();
        LogDealt(Dataset, manifest.Term, manifest.State.Cursors.Length, string.Join(", ", seats));
    }

    private Deal DealOf(int seat)
    {
        Manifest manifest = Current;
        return new Deal
        {
            Term = manifest.Term,
            Round = manifest.Round,
            Cursors = [.. manifest.State.Cursors.Where(cursor => _plan.Dealt[cursor.Shard] == seat)],
            Settings = _settings!,
            Checkpoint = manifest.State.Parts,
            CheckpointIsPublished = manifest.StateIsPublished,
            Published = manifest.Version,
            Retreats = manifest.Retreats,
            Bank = _bank,
            Seat = seat,
            Seats = _plan.Seats.Length,
            Shares = manifest.State.Seats,
            Progress = manifest.State.Progress,
        };
    }

    // One on each silo that computes, as long as there are shards; those that have one keep it. What follows from log and settings alone is trained by one.
    private string[] SeatsToDeal()
    {
        SiloAddress[] computing = silos.With(SiloRoles.Compute);
        string[] seats = [.. computing.Select(silo => GrainKeys.Seat(Dataset, silo.ToParsableString()))];
        var most = _settings!.RoundSteps > 0 ? 1 : _settings.Shards;
        var first = Array.IndexOf(computing, silos.Local);
        if (first < 0 && seats.Length > 0)
        {
            // Datasets spread over the silos that compute, each always on the same ones.
            first = (int)(ItemKey.Of(Dataset).Low % (uint)seats.Length);
        }

        IEnumerable<string> kept = _plan.Seats.Intersect(seats, StringComparer.Ordinal);
        return [.. kept.Union(seats.Skip(first).Concat(seats.Take(first)), StringComparer.Ordinal).Take(most)];
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            _problem = e.Message;
            LogStartFailed(Dataset, e);
        }
    }

    private async Task<bool> SeatsWorkAsync() => (await ReportsAsync()).All(report => report?.Term == Current.Term);

    // Of each seat of the plan; null where it does not answer.
    private Task<SeatReport?[]> ReportsAsync() => Task.WhenAll(_plan.Seats.Select(ReportAsync));

    private async Task<SeatReport?> ReportAsync(string seat)
    {
        try
        {
            return await GrainFactory.GetGrain<IReplicaGrain>(seat).GetReportAsync().WaitAsync(SeatPatience, time);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            _problem = e.Message;
            return null;
        }
    }

    private async Task AnnounceAsync()
    {
        var announcement = new DatasetAnnouncement
        {
            Settings = _settings!,
            Version = Current.Version,
            Seats = _plan,
            Directory = await GrainFactory.GetGrain<IClustersGrain>(Dataset).GetDirectoryAsync(),
        };
        await Shards().TellUsableAsync(s => s.AnnounceAsync(announcement));
    }

    private IEnumerable<IShardGrain> Shards() =>
        Enumerable.Range(0, _settings!.Shards).Select(s => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, s)));

    private void CheckTerm(long term)
    {
        if (term != Current.Term)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"Deal {term} is over: deal {Current.Term} is under way.");
        }
    }

    [LoggerMessage(EventId = 400, EventName = "Dealt", Level = LogLevel.Information, Message = "{Dataset}: deal {Term} gives {Shards} shards to {Seat}")]
    private partial void LogDealt(string dataset, long term, int shards, string seat);

    [LoggerMessage(EventId = 403, EventName = "TrainingStartFailed", Level = LogLevel.Warning, Message = "{Dataset}: training could not be started; trying again")]
    private partial void LogStartFailed(string dataset, Exception exception);
}
