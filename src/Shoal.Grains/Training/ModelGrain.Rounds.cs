using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Hosting;
using Shoal.Grains.Shards;
using Shoal.Grains.Telemetry;
using Shoal.Storage;

namespace Shoal.Grains.Training;

// The end of a round: what was done is committed, and published when it is worth it.
internal sealed partial class ModelGrain
{
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
        var state = new Checkpoint { Cursors = delivery.Cursors, Parts = delivery.Parts, Progress = delivery.Progress };
        return await CommitAsync(delivery, state) is { Retreats: true, Reason: var reason }
            ? throw new ShoalException(ShoalErrorKind.Conflict, $"Round {delivery.Round} is refused: {reason}; begin again from the last good checkpoint.")
            : new DeliveryReceipt(Current.Round, Current.PublishedFrom(delivery.Round), _bank);
    }

    /// <summary>Commits a round, and publishes what it came to when that is worth it.</summary>
    /// <param name="delivery">The round.</param>
    /// <param name="state">The state to go on from, without its bank.</param>
    /// <returns>Whether training goes back to the last good checkpoint instead, and why.</returns>
    private async Task<(bool Retreats, string Reason)> CommitAsync(RoundDelivery delivery, Checkpoint state)
    {
        using Activity? span = Traces.Source.StartActivity(Traces.Commit);
        span?.SetTag(Traces.DatasetTag, Dataset).SetTag(Traces.RoundTag, delivery.Round);
        Manifest manifest = Current;
        Claim bank = await GrainFactory.GetGrain<IMemoryBankGrain>(Dataset).SaveAsync(StoreNames.RoundPart(Dataset, delivery.Term, delivery.Round, "bank"));
        PublicationDecision decision = PublicationDecider.Decide(
            delivery.Evidence, manifest.Version, delivery.Progress.Samples, await StaleShareAsync(), delivery.Resting);
        Manifest next = manifest.Commit(state with { Bank = bank, Skipped = SkippedRanges.Joined(manifest.State.Skipped, delivery.Skipped) });
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
        span?.SetTag(Traces.VerdictTag, Label.Of(decision.Verdict)).SetTag(Traces.VersionTag, Current.Version?.Version);
        metrics.Ended(Dataset, decision.Verdict);
        await FollowUpAsync(decision, delivery, retreats);
        return (retreats, decision.Reason);
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
        Collect(delivery);
    }

    // The manifest holds. What follows only spreads the news, and is made up for where it fails.
    private Task NewsAsync(IReadOnlyList<LineageEvent> events) => TellAsync(async () =>
    {
        using Activity? span = Traces.Source.StartActivity(Traces.Publish);
        span?.SetTag(Traces.DatasetTag, Dataset).SetTag(Traces.VersionTag, Current.Version?.Version);
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
        catch (Exception e) when (Failures.IsExpected(e))
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

    /// <summary>Removes objects of rounds that no manifest needs any more, beside the next round.</summary>
    private void Collect(RoundDelivery delivery)
    {
        // What one leaves the next one finds.
        if (_collecting.IsCompleted)
        {
            HashSet<string> needed = [.. Current.Objects()];
            var oldest = StoreNames.RoundPart(Dataset, delivery.Term, delivery.Round, string.Empty);
            _collecting = Task.Run(() => CollectAsync(StoreNames.Rounds(Dataset), name => !needed.Contains(name) && string.CompareOrdinal(name, oldest) < 0));
        }
    }

    private async Task CollectAsync(string folder, Func<string, bool> isOver)
    {
        try
        {
            await foreach (ObjectInfo info in store.ListAsync(folder))
            {
                if (isOver(info.Name))
                {
                    await store.DeleteAsync(info.Name);
                }
            }
        }
        catch (StorageException e)
        {
            LogCollectFailed(folder, e.Message);
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

    [LoggerMessage(EventId = 407, EventName = "CollectFailed", Level = LogLevel.Warning, Message = "{Folder}: what no manifest needs could not be removed; the next round tries again: {Reason}")]
    private partial void LogCollectFailed(string folder, string reason);

    [LoggerMessage(EventId = 401, EventName = "RoundEnded", Level = LogLevel.Information, Message = "{Dataset}: round {Round} at step {Steps} ({Samples} fresh samples): {Verdict}, {Reason}")]
    private partial void LogRound(string dataset, long round, long steps, long samples, PublicationVerdict verdict, string reason);

    [LoggerMessage(EventId = 402, EventName = "RoundNewsFailed", Level = LogLevel.Warning, Message = "{Dataset}: round {Round} is committed, but telling others failed; they poll")]
    private partial void LogFollowUpFailed(string dataset, long round, Exception exception);
}
