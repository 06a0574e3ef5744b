using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Shards;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Rounds, checkpoints and versions of a dataset, and who trains on which shards.</summary>
/// <remarks>
/// Its one durable object is the manifest. Everything that a manifest names is written before the swap, under names
/// that hold term and round, so that a crash at any moment leaves either the old or the new manifest whole.
/// </remarks>
[Immovable]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed partial class ModelGrain(
    IObjectStore store, ILocalSiloDetails silo, TimeProvider time, ILogger<ModelGrain> logger) : Grain, IModelGrain
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(5);

    private StoredDocument<Manifest> _manifest = null!;
    private DatasetSettings? _settings;
    private string? _seat;
    private BankPosition _bank;
    private string? _problem;
    private bool _paused;
    private IGrainTimer? _watch;

    // The version that the registry of clusters is known to have.
    private int _registered;

    private string Dataset => this.GetPrimaryKeyString();

    private Manifest Current => _manifest.Value ?? new Manifest();

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _manifest = new StoredDocument<Manifest>(store, StoreNames.Manifest(Dataset));
        await _manifest.LoadAsync();
        if (Current.FormatProblem() is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"The model of '{Dataset}' cannot be read: {problem}");
        }
    }

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        _settings = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        _paused = _settings.Paused;
        if (_paused || await SeatWorksAsync())
        {
            return;
        }

        await RegisterAsync();
        Manifest manifest = Current;
        var cursors = manifest.State.Cursors.ToDictionary(c => c.Shard, c => c.Next);
        manifest = manifest with
        {
            Term = manifest.Term + 1,
            State = manifest.State with { Cursors = [.. Enumerable.Range(0, _settings.Shards).Select(s => new ShardCursor(s, cursors.GetValueOrDefault(s)))] },
        };
        // The term is durable before anyone works under it: a delivery of the deal before can no longer be taken.
        await SwapAsync(manifest);
        _bank = await GrainFactory.GetGrain<IMemoryBankGrain>(Dataset).BeginAsync(manifest.State.Bank, LearnerSettings.Options(_settings).BankSize);
        _seat = GrainKeys.Seat(Dataset, silo.SiloAddress.ToParsableString());
        await GrainFactory.GetGrain<IReplicaGrain>(_seat).BeginAsync(new Deal
        {
            Term = manifest.Term,
            Round = manifest.Round,
            Cursors = manifest.State.Cursors,
            Settings = _settings,
            Checkpoint = manifest.State.Parts,
            CheckpointIsPublished = manifest.StateIsPublished,
            Published = manifest.Version,
            IdleSteps = manifest.State.Progress?.IdleSteps ?? 0,
            Retreats = manifest.Retreats,
            Rested = manifest.State.Progress?.Rested ?? false,
            Bank = _bank,
        });
        _problem = null;
        _watch ??= this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchInterval, WatchInterval) { KeepAlive = true });
        await AnnounceAsync();
        LogDealt(Dataset, manifest.Term, manifest.State.Cursors.Length, _seat);
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        _paused = true;
        _watch?.Dispose();
        _watch = null;
        if (_seat is { } seat)
        {
            _seat = null;
            await GrainFactory.GetGrain<IReplicaGrain>(seat).StopAsync();
        }
    }

    /// <inheritdoc/>
    public async Task<DeliveryReceipt> DeliverAsync(RoundDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        Manifest manifest = Current;
        if (delivery.Term != manifest.Term || delivery.Round > manifest.Round || delivery.Round < manifest.Round - 1)
        {
            throw new ShoalException(
                ShoalErrorKind.Conflict,
                $"Round {delivery.Round} of deal {delivery.Term} is refused: deal {manifest.Term}, round {manifest.Round} is under way.");
        }

        if (delivery.Round == manifest.Round - 1)
        {
            // The answer to this very delivery was lost.
            return new DeliveryReceipt(manifest.Round, manifest.PublishedFrom(delivery.Round), _bank);
        }

        IMemoryBankGrain bank = GrainFactory.GetGrain<IMemoryBankGrain>(Dataset);
        _bank = await bank.PushAsync(_bank.Epoch, delivery.Keys);
        Claim bankClaim = await bank.SaveAsync(StoreNames.RoundPart(Dataset, delivery.Term, delivery.Round, "bank"));
        PublicationDecision decision = PublicationDecider.Decide(
            delivery.Evidence, manifest.Version, delivery.Progress.Samples, await StaleShareAsync(), delivery.Resting);
        Manifest next = manifest.Commit(new Checkpoint { Cursors = delivery.Cursors, Parts = delivery.Parts, Bank = bankClaim, Progress = delivery.Progress });
        var retreats = false;
        if (decision.Verdict == PublicationVerdict.Publish)
        {
            // What the version before did to clusters must be known first: only the last version's fates are kept.
            await RegisterAsync();
            next = next.Publish(delivery, decision.Reason);
        }
        else if (decision.Verdict == PublicationVerdict.Refuse)
        {
            (next, retreats) = next.Refuse(decision.Broken, delivery.Evidence.Finite);
        }

        await SwapAsync(next);
        await FollowUpAsync(decision, delivery, retreats);
        return retreats
            ? throw new ShoalException(ShoalErrorKind.Conflict, $"Round {delivery.Round} is refused: {decision.Reason}; begin again from the last good checkpoint.")
            : new DeliveryReceipt(next.Round, next.PublishedFrom(delivery.Round), _bank);
    }

    /// <inheritdoc/>
    public Task<PublishedVersion[]> GetVersionsAsync() => Task.FromResult(Array.ConvertAll(Current.Versions, kept => kept.Version));

    /// <inheritdoc/>
    public async Task<PublishedVersion> RollbackAsync(int version)
    {
        if (Current.Version is { } published && published.Restores == version)
        {
            // The answer to this very call may have been lost.
            return published;
        }

        if (Current.Version?.Version == version)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"Version {version} is the published one.");
        }

        KeptVersion kept = Array.Find(Current.Versions, v => v.Version.Version == version)
            ?? throw new ShoalException(ShoalErrorKind.NotFound, $"Version {version} is not kept; there are: {string.Join(", ", Current.Versions.Select(v => v.Version.Version))}.");
        _settings ??= await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        await RegisterAsync();
        await SwapAsync(Current.Restore(kept, time.GetUtcNow()));
        PublishedVersion restored = Current.Version!;
        await NewsAsync([new LineageEvent(time.GetUtcNow(), "rolled back", null, restored.Version, restored.Reason)]);

        // The seat works on what is given up: its rounds are of an old deal now, and it ends when the next deal begins.
        await StartAsync();
        return restored;
    }

    /// <inheritdoc/>
    public Task<PublishedVersion?> GetVersionAsync() => Task.FromResult(Current.Version);

    /// <inheritdoc/>
    public Task<string?> GetSeatAsync() => Task.FromResult(_seat);

    /// <inheritdoc/>
    public async Task<TrainingStatus> GetStatusAsync()
    {
        SeatReport? report = await ReportAsync();
        Manifest manifest = Current;
        return new TrainingStatus
        {
            Activity = _paused ? "paused" : report?.Activity ?? "starting",
            Round = manifest.Round,
            Term = manifest.Term,
            Version = manifest.Version,
            Cursors = report is { Cursors.Length: > 0 } ? report.Cursors : manifest.State.Cursors,
            Progress = report?.Progress ?? manifest.State.Progress,
            Refused = manifest.Refused,
            Bank = _bank,
            Problem = report?.Problem ?? _problem,
        };
    }

    /// <inheritdoc/>
    public Task ForgetAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task FollowUpAsync(PublicationDecision decision, RoundDelivery delivery, bool retreats)
    {
        LogRound(Dataset, delivery.Round, delivery.Progress.Steps, delivery.Samples, decision.Verdict, decision.Reason);
        DateTimeOffset now = time.GetUtcNow();
        var version = Current.Version?.Version ?? 0;
        List<LineageEvent> events = [.. delivery.Drifts.Select(drift => new LineageEvent(
            drift.Time, "drift", null, version, $"after {drift.Samples:N0} samples the stream changed (separation {drift.Separation:F2})"))];
        if (decision.Verdict == PublicationVerdict.Publish)
        {
            events.Add(new LineageEvent(now, "published", null, version, decision.Reason));
        }
        else if (decision.Verdict == PublicationVerdict.Refuse)
        {
            var back = retreats ? "; training goes back to the last good checkpoint" : string.Empty;
            var skips = retreats && Current.RetreatsInARow > Manifest.MostRetreats ? " and skips what came since" : string.Empty;
            events.Add(new LineageEvent(now, "refused", null, version + 1, decision.Reason + back + skips));
        }

        await NewsAsync(events);
        await TellAsync(() => CollectAsync(delivery));
    }

    // The manifest holds. What follows only spreads the news, and is made up for where it fails.
    private Task NewsAsync(IReadOnlyList<LineageEvent> events) => TellAsync(async () =>
    {
        var isNew = await RegisterAsync();
        foreach (LineageEvent news in events)
        {
            await GrainFactory.GetGrain<IClustersGrain>(Dataset).RecordAsync(news);
        }

        if (isNew)
        {
            await AnnounceAsync();
        }
    });

    private async Task TellAsync(Func<Task> tell)
    {
        try
        {
            await tell();
        }
        catch (Exception e) when (e is ShoalException or StorageUnavailableException or TimeoutException or OrleansException)
        {
            _problem = e.Message;
            LogFollowUpFailed(Dataset, Current.Round, e);
        }
    }

    /// <summary>Tells the registry of clusters what the published version did to them, unless it was told.</summary>
    /// <returns>Whether it was told now.</returns>
    private async Task<bool> RegisterAsync()
    {
        if (Current.Version is not { } version || version.Version == _registered)
        {
            return false;
        }

        await GrainFactory.GetGrain<IClustersGrain>(Dataset).RegisterAsync(version, Current.Fates);
        _registered = version.Version;
        return true;
    }

    /// <summary>Removes objects of rounds that no manifest needs any more.</summary>
    private async Task CollectAsync(RoundDelivery delivery)
    {
        HashSet<string> needed = [.. Current.Objects()];
        var oldest = StoreNames.RoundPart(Dataset, delivery.Term, delivery.Round, string.Empty);
        await foreach (ObjectInfo info in store.ListAsync(StoreNames.Rounds(Dataset)))
        {
            if (!needed.Contains(info.Name) && string.CompareOrdinal(info.Name, oldest) < 0)
            {
                await store.DeleteAsync(info.Name);
            }
        }
    }

    private async Task<double> StaleShareAsync()
    {
        if (_settings!.RoundSteps > 0)
        {
            // How far refresh is depends on the clock, and what is learned must not.
            return 0;
        }

        ShardStatus[] shards = await Shards().UsableAsync(s => s.GetStatusAsync());
        var assigned = shards.Sum(s => s.Assigned + s.Outliers);
        return assigned == 0 ? 0 : (double)shards.Sum(s => s.Stale) / assigned;
    }

    private async Task AnnounceAsync()
    {
        var announcement = new DatasetAnnouncement
        {
            Settings = _settings!,
            Version = Current.Version,
            Seat = _seat,
            Directory = await GrainFactory.GetGrain<IClustersGrain>(Dataset).GetDirectoryAsync(),
        };
        await Shards().TellUsableAsync(s => s.AnnounceAsync(announcement));
    }

    private IEnumerable<IShardGrain> Shards() =>
        Enumerable.Range(0, _settings!.Shards).Select(s => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, s)));

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync();
        }
        catch (Exception e) when (e is ShoalException or StorageUnavailableException or TimeoutException or OrleansException)
        {
            _problem = e.Message;
            LogStartFailed(Dataset, e);
        }
    }

    private async Task<bool> SeatWorksAsync() => await ReportAsync() is { } report && report.Term == Current.Term;

    private async Task<SeatReport?> ReportAsync()
    {
        if (_seat is null)
        {
            return null;
        }

        try
        {
            return await GrainFactory.GetGrain<IReplicaGrain>(_seat).GetReportAsync();
        }
        catch (Exception e) when (e is TimeoutException or OrleansException)
        {
            _problem = e.Message;
            return null;
        }
    }

    private async Task SwapAsync(Manifest manifest)
    {
        try
        {
            await _manifest.SaveAsync(manifest);
        }
        catch (ObjectConflictException e)
        {
            DeactivateOnIdle();
            throw new ShoalException(ShoalErrorKind.Conflict, $"Another activation of the model of '{Dataset}' swapped the manifest first; begin again from it.", e);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
    }

    [LoggerMessage(EventId = 400, Level = LogLevel.Information, Message = "{Dataset}: deal {Term} gives {Shards} shards to {Seat}")]
    private partial void LogDealt(string dataset, long term, int shards, string seat);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "{Dataset}: round {Round} at step {Steps} ({Samples} fresh samples): {Verdict}, {Reason}")]
    private partial void LogRound(string dataset, long round, long steps, long samples, PublicationVerdict verdict, string reason);

    [LoggerMessage(EventId = 402, Level = LogLevel.Warning, Message = "{Dataset}: round {Round} is committed, but telling others failed; they poll")]
    private partial void LogFollowUpFailed(string dataset, long round, Exception exception);

    [LoggerMessage(EventId = 403, Level = LogLevel.Warning, Message = "{Dataset}: training could not be started; trying again")]
    private partial void LogStartFailed(string dataset, Exception exception);
}
