using System.Diagnostics;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>The ends of rounds of a seat that trains alone: it settles clusters itself, and delivers beside the steps of the next round.</summary>
/// <param name="desk">What it works with.</param>
internal sealed class LoneRoundEnds(SeatDesk desk) : IRoundEnds
{
    private Task _delivering = Task.CompletedTask;
    private PublishedVersion? _published = desk.Deal.Published;

    // A version that was published of this learner's last candidate, and that the learner does not know of yet.
    private PublishedVersion? _news = desk.Deal.CheckpointIsPublished ? desk.Deal.Published : null;
    private long _bankCount;

    /// <inheritdoc/>
    public double RoundSeconds => desk.Deal.Settings.RoundSeconds;

    /// <inheritdoc/>
    public async Task<Learner> BeginAsync(CancellationToken cancellationToken)
    {
        BankState bank = TensorFiles.Bank(await desk.Services.Grains.GetGrain<IMemoryBankGrain>(desk.Dataset).PullAsync(0));
        _bankCount = bank.Count;
        return await LearnerBeginning.BuildAsync(desk, bank, cancellationToken);
    }

    /// <inheritdoc/>
    public Task CheckAsync(Learner learner, CancellationToken cancellationToken) => _delivering.IsFaulted ? _delivering : Task.CompletedTask;

    /// <inheritdoc/>
    public async Task EndAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        // At most one round is on its way: a store that is slow or away holds training at the end of the next.
        await _delivering;
        ClosedRound round = await CloseAsync(learner, work, cancellationToken);
        _delivering = DeliverAsync(round, cancellationToken);
        if (work.Resting)
        {
            // Nothing else is to be done, and who waits for this dataset to rest waits for the version, too.
            await _delivering;
        }

        _bankCount = round.Keys.Count;
    }

    /// <inheritdoc/>
    public Task IdleAsync(Learner learner, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task FinishAsync() => await _delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Mines, refits, judges, and copies the state out of libtorch. Urgent work may come between the parts.</summary>
    private async Task<ClosedRound> CloseAsync(Learner learner, RoundWork work, CancellationToken cancellationToken)
    {
        using ModelLease? published = _published is { } version ? await desk.Services.Models.LeaseAsync(desk.Dataset, version) : null;
        var pinned = await desk.PinnedAsync();
        PublishedVersion? news = _news;
        RefitReport refit = await desk.ComputeAsync(
            () =>
            {
                if (news is not null)
                {
                    learner.Publish(news.Clusters);
                }

                return learner.Refit(pinned);
            },
            cancellationToken);
        _news = null;
        Evidence evidence = await desk.ComputeAsync(() => learner.Judge(published?.Embedder), cancellationToken);
        return await desk.ComputeAsync(
            () => new ClosedRound(
                desk.Round, work.Cursors, work.Samples, work.Drifts, work.Skipped, work.Progress with { Rested = work.Resting }, work.Resting, desk.Services.Time.GetUtcNow(),
                learner.Snapshot(), learner.BankSince(_bankCount), learner.Export(), evidence, refit.Descent),
            cancellationToken);
    }

    private async Task DeliverAsync(ClosedRound round, CancellationToken cancellationToken)
    {
        (Dictionary<string, Claim> parts, Claim candidate) = await WriteAsync(round, cancellationToken);
        RoundDelivery delivery = round.Deliver(desk.Seat, desk.Deal.Term, parts, candidate);
        // The model may be the one that stops this seat, and waits for it: then nobody waits for the answer. Taken or not, the manifest says.
        DeliveryReceipt receipt = await desk.RetryAsync(() => desk.Model.DeliverAsync(delivery).WaitAsync(cancellationToken), cancellationToken);
        desk.Round = receipt.NextRound;
        _news = receipt.Published;
        _published = receipt.Published ?? _published;
    }

    private async Task<(Dictionary<string, Claim> Parts, Claim Candidate)> WriteAsync(ClosedRound round, CancellationToken cancellationToken)
    {
        using Activity? span = Traces.Source.StartActivity(Traces.Checkpoint);
        span?.SetTag(Traces.DatasetTag, desk.Dataset).SetTag(Traces.RoundTag, round.Round);
        Dictionary<string, Claim> parts = new(StringComparer.Ordinal);
        foreach ((var name, IReadOnlyList<NamedTensor> tensors) in round.Parts)
        {
            parts[name] = await desk.WriteAsync(round.Round, name, tensors, cancellationToken);
        }

        return (parts, await desk.WriteAsync(round.Round, "candidate", round.Candidate, cancellationToken));
    }
}
