using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Streams;
using Orleans.Streams.Core;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>One seat of training on the silo that its key names: holds the deal, hears hints, owns the trainer.</summary>
[SeatPlacement]
[Immovable]
[CollectionAgeLimit(AlwaysActive = true)]
[ImplicitStreamSubscription(StreamNames.Arrivals)]
internal sealed class ReplicaGrain(
    IObjectStore store, ComputeThread compute, ModelCache models, ShoalSiloOptions options, TimeProvider time, ILogger<SeatTrainer> logger)
    : Grain, IReplicaGrain, IStreamSubscriptionObserver, IAsyncBatchObserver<ArrivalHint>
{
    private SeatTrainer? _trainer;
    private string? _lastProblem;

    /// <inheritdoc/>
    public async Task BeginAsync(Deal deal)
    {
        ArgumentNullException.ThrowIfNull(deal);
        if (_trainer is { } old && old.Deal.Term >= deal.Term && !old.HasEnded)
        {
            return;
        }

        await StopAsync();
        _trainer = new SeatTrainer(
            new TrainerServices(GrainFactory, store, compute, models, time, logger, options.Compute.Device, TimeSpan.FromSeconds(options.PollSeconds)),
            this.GetPrimaryKeyString(),
            deal);
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
        _trainer is { HasEnded: false } trainer
            ? new SeatReport(trainer.Deal.Term, trainer.Activity, trainer.Progress, trainer.Cursors, trainer.Problem)
            : new SeatReport(0, "starting", null, [], _trainer?.Problem ?? _lastProblem));

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => StopAsync();

    /// <inheritdoc/>
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        ArgumentNullException.ThrowIfNull(handleFactory);
        return handleFactory.Create<ArrivalHint>().ResumeAsync(this);
    }

    /// <inheritdoc/>
    public Task OnNextAsync(IList<SequentialItem<ArrivalHint>> items)
    {
        _trainer?.Wake();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
