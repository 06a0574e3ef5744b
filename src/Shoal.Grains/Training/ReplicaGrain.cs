using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Streams;
using Orleans.Streams.Core;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Grains.Silos;
using Shoal.Grains.Telemetry;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>One seat of training on the silo that its key names: holds the deal, hears hints, owns the trainer.</summary>
[SeatPlacement]
[Immovable]
[RequiresRole(SiloRoles.Compute)]
[CollectionAgeLimit(AlwaysActive = true)]
[ImplicitStreamSubscription(StreamNames.Arrivals)]
internal sealed class ReplicaGrain(
    IObjectStore store, ComputeThread compute, ModelCache models, ShoalSiloOptions options, TimeProvider time, TrainingMetrics metrics, ILogger<SeatTrainer> logger)
    : Grain, IReplicaGrain, IStreamSubscriptionObserver, IAsyncBatchObserver<ArrivalHint>
{
    // A delivery that is under way to a model which closes as well would keep the silo for as long as a call may take; its term refuses it wherever it arrives later.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private SeatTrainer? _trainer;
    private string? _lastProblem;
    private Task _beginningAgain = Task.CompletedTask;

    /// <inheritdoc/>
    public async Task BeginAsync(Deal deal)
    {
        ArgumentNullException.ThrowIfNull(deal);
        if (_trainer is { } old && old.Deal.Term >= deal.Term && !old.HasEnded)
        {
            return;
        }

        await StopAsync();
        var services = new TrainerServices(GrainFactory, store, compute, models, time, logger, metrics, options.Compute.Device, TimeSpan.FromSeconds(options.PollSeconds));
        _trainer = new SeatTrainer(services, this.GetPrimaryKeyString(), deal);
        _beginningAgain = BeginAgainAsync(_trainer);
        _beginningAgain.Ignore();
    }

    /// <inheritdoc/>
    public Task<SettleResult> SettleAsync(SettleRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_trainer is not { HasEnded: false } trainer || trainer.Deal.Term != request.Term)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"This seat does not work under deal {request.Term}.");
        }

        return SettleAsync(trainer, request);
    }

    private static async Task<SettleResult> SettleAsync(SeatTrainer trainer, SettleRequest request)
    {
        try
        {
            // Off the turn: its own awaits are many, and status is asked for meanwhile.
            return await Task.Run(() => trainer.SettleAsync(request));
        }
        catch (OperationCanceledException)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"This seat was stopped while it settled round {request.Round}.");
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        if (_trainer is { } trainer)
        {
            _trainer = null;
            _lastProblem = trainer.Problem;
            await trainer.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public Task<SeatReport> GetReportAsync() => Task.FromResult(
        _trainer is { } trainer && (!trainer.HasEnded || !_beginningAgain.IsCompleted)
            ? new SeatReport(trainer.Deal.Term, trainer.Activity, trainer.Progress, trainer.Cursors, trainer.Problem)
            : new SeatReport(0, "starting", null, [], _trainer?.Problem ?? _lastProblem));

    // One that was too late for a round goes on from what the others came to; the deal stays. Where that fails the seat has ended, and the model deals anew.
    private async Task BeginAgainAsync(SeatTrainer trainer)
    {
        await trainer.Ended;
        if (trainer.MissedRound && trainer == _trainer)
        {
            await BeginAsync(await GrainFactory.GetGrain<IModelGrain>(GrainKeys.Split(this.GetPrimaryKeyString()).Dataset).GetDealAsync(this.GetPrimaryKeyString(), trainer.Deal.Term));
        }
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        await StopAsync().WaitAsync(StopPatience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);

    /// <inheritdoc/>
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        ArgumentNullException.ThrowIfNull(handleFactory);
        return handleFactory.Create<ArrivalHint>().ResumeAsync(this);
    }

    /// <inheritdoc/>
    public Task OnNextAsync(IList<SequentialItem<ArrivalHint>> items)
    {
        foreach (SequentialItem<ArrivalHint> hint in items)
        {
            _trainer?.Wake(hint.Item);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
