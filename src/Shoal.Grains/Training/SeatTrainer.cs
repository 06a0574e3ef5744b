using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Learning;
using Span = System.Diagnostics.Activity;

namespace Shoal.Grains.Training;

/// <summary>Trains under one deal until it is stopped: reads samples, steps, and hands over a round at its end.</summary>
/// <remarks>
/// Runs beside the grain, on the thread pool; every libtorch call goes through the compute thread. What it did since
/// the last round is in memory only: a crash or a new deal does it again from the manifest's cursors.
/// </remarks>
internal sealed partial class SeatTrainer : IAsyncDisposable
{
    // As many steps as 60,000 items take with the default rehearsal: fewer leave kinds undrawn apart, more gain little on MNIST.
    private const int YoungSteps = 720;

    // How much longer than its settings say a young dataset rehearses at most: 100 steps become 600, which 11,000 items need.
    private const int YoungPatience = 6;

    private readonly TrainerServices _services;
    private readonly ILogger<SeatTrainer> _logger;
    private readonly SeatDesk _desk;
    private readonly IRoundEnds _rounds;
    private readonly CancellationTokenSource _stop = new();
    private readonly BatchReader _batches;
    private readonly GoneSamples _gone;
    private readonly Dictionary<int, long> _cursors;
    private readonly IDisposable[] _gauges;
    private readonly Task _running;

    private Learner? _learner;
    private volatile string _activity = "starting";
    private long _roundStarted;
    private long _roundSamples;
    private long _roundPasses;
    private long _roundSteps;
    private List<DriftSighting> _roundDrifts = [];
    private int _idleSteps;
    private bool _restingDelivered;
    private IReadOnlyDictionary<string, double> _losses = new Dictionary<string, double>(StringComparer.Ordinal);
    private double _rate;

    /// <summary>Begins training.</summary>
    public SeatTrainer(TrainerServices services, string seat, Deal deal)
    {
        _services = services;
        _logger = services.Logger;
        _desk = new SeatDesk(services, seat, deal);
        _rounds = deal.Seats > 1 ? new SharedRoundEnds(_desk) : new LoneRoundEnds(_desk);
        _idleSteps = deal.Progress?.IdleSteps ?? 0;
        _cursors = deal.Cursors.ToDictionary(c => c.Shard, c => c.Next);
        _gone = new GoneSamples(services, _desk.Dataset);
        int fresh = _desk.Options.FreshPerStep;
        var reader = new SampleReader(services, _desk.Dataset, MediaSettings.Decoder(deal.Settings), deal.Cursors, 2 * fresh, strict: IsDeterministic, deal.Settings.MaxLag / deal.Settings.Shards);
        _batches = new BatchReader(reader, LearnerSettings.Shape(deal.Settings), fresh, services.Time, strict: IsDeterministic);
        _gauges = [services.Metrics.Lag.Add(_desk.Dataset, Lag), services.Metrics.Loss.Add(_desk.Dataset, () => _losses)];
        _running = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>What it does now.</summary>
    public string Activity
    {
        get => _desk.WaitsForStorage ? "waiting for storage" : _activity;
        private set => _activity = value;
    }

    /// <summary>What went wrong last; null while all works.</summary>
    public string? Problem
    {
        get => _desk.Problem;
        private set => _desk.Problem = value;
    }

    /// <summary>Whether it has ended for good: by a newer deal or a failure. The model deals anew.</summary>
    public bool HasEnded => _running.IsCompleted;

    /// <summary>Completes when it has ended.</summary>
    public Task Ended => _running;

    /// <summary>Whether it ended because a round of the others was over before its own: it is to begin again from the manifest.</summary>
    public bool MissedRound { get; private set; }

    /// <summary>The deal it works under.</summary>
    public Deal Deal => _desk.Deal;

    /// <summary>Its progress; null before its first step.</summary>
    public SeatProgress? Progress { get; private set; }

    /// <summary>Where it reads each shard next: behind the last sample that it trained on.</summary>
    public ShardCursor[] Cursors
    {
        get
        {
            lock (_cursors)
            {
                return [.. _cursors.OrderBy(c => c.Key).Select(c => new ShardCursor(c.Key, c.Value))];
            }
        }
    }

    /// <summary>Merges a round of all seats and settles its clusters.</summary>
    /// <param name="request">What the seats did.</param>
    public Task<SettleResult> SettleAsync(SettleRequest request) => Settling.RunAsync(_desk, request, _stop.Token);

    /// <summary>Looks for new items now.</summary>
    /// <param name="hint">The hint that came.</param>
    public void Wake(ArrivalHint hint) => _batches.Wake(hint);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _batches.DisposeAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        // Training goes on when the call that began it is long over: each round is a trace of its own.
        Span.Current = null;
        try
        {
            await BeginAsync();
            while (!cancellationToken.IsCancellationRequested)
            {
                await _rounds.CheckAsync(_learner!, cancellationToken);
                await StepAsync(cancellationToken);
                if (IsRoundOver(out var resting))
                {
                    await EndRoundAsync(resting, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked for.
        }
        catch (RoundMissedException e)
        {
            MissedRound = true;
            LogReplaced(_desk.Dataset, Deal.Term, e.Message);
        }
        catch (ShoalException e) when (e.Kind == ShoalErrorKind.Conflict)
        {
            Problem = e.Message;
            LogReplaced(_desk.Dataset, Deal.Term, e.Message);
        }
#pragma warning disable CA1031 // Whatever it is, the seat ends, says why in its report, and the model deals anew from the last checkpoint.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Problem = e.Message;
            LogFailed(_desk.Dataset, Deal.Term, e);
        }
        finally
        {
            Array.ForEach(_gauges, gauge => gauge.Dispose());
            // A delivery under way ends by itself: cancelled, refused, or taken.
            await _rounds.FinishAsync();
            _desk.WaitsForStorage = false;
            Activity = "ended";
            if (_learner is { } learner)
            {
                await _services.Compute.RunAsync(ComputePriority.Training, _desk.Dataset, learner.Dispose, CancellationToken.None);
            }
        }
    }

    private async Task BeginAsync()
    {
        _learner = await _rounds.BeginAsync(_stop.Token);
        _learner.Between = _services.Compute.RunUrgent;
        _roundStarted = _services.Time.GetTimestamp();
        _restingDelivered = Deal.Progress?.Rested ?? false;
        // Before its first step: a checkpoint may hold what was deleted after it was written.
        await _desk.RetryAsync(ForgetAsync, _stop.Token);
        LogBegun(_desk.Dataset, Deal.Term, _desk.Round, _learner.Steps);
    }

    // A round follows, so that no newer checkpoint holds what was forgotten.
    private async Task<int> ForgetAsync()
    {
        var count = await _gone.ForgetAsync(_learner!, _stop.Token);
        _restingDelivered &= count == 0;
        return count;
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        if (_gone.IsDue)
        {
            try
            {
                await ForgetAsync();
            }
            catch (Exception e) when (Failures.MayPass(e))
            {
                // A shard that is away holds up nobody's training: the next look asks it again.
                Problem = e.Message;
            }
        }

        FreshBatch batch = await _batches.TakeAsync(cancellationToken);
        StepReport report;
        long passes = _learner!.BackwardPasses;
        if (batch.Samples is { } fresh)
        {
            Activity = "training";
            Task<StepReport> step = _services.Compute.RunAsync(ComputePriority.Training, _desk.Dataset, () => _learner!.Observe(fresh), cancellationToken);
            _batches.BeginNext(cancellationToken);
            report = await step;
            _idleSteps = 0;
            _restingDelivered = false;
            _roundSamples += fresh.Count;
            _services.Metrics.Trained(_desk.Dataset, fresh.Count);
            Advance(batch.Read);
            if (report.Drift is { } separation)
            {
                _roundDrifts.Add(new DriftSighting(_services.Time.GetUtcNow(), _learner!.SamplesSeen, separation));
            }
        }
        else if (batch == FreshBatch.Empty && !IsRehearsed && _learner!.ReplayCount >= _desk.Options.FreshPerStep && (_batches.IsDrained || !IsDeterministic))
        {
            Activity = "rehearsing";
            _restingDelivered = false;
            report = await _services.Compute.RunAsync(ComputePriority.Training, _desk.Dataset, _learner!.Rehearse, cancellationToken);
            _idleSteps++;
        }
        else
        {
            Advance(batch.Read);

            // Who waits for this dataset to rest waits for the last round, too.
            Activity = _restingDelivered || _learner!.Steps == 0 ? "idle" : "settling";
            Problem = _batches.Problem;
            if (_roundSteps == 0)
            {
                await _rounds.IdleAsync(_learner!, cancellationToken);
            }

            await _batches.WaitAsync(_services.Poll, cancellationToken);
            return;
        }

        _services.Metrics.Stepped(_desk.Dataset);
        _roundSteps++;
        _roundPasses += _learner!.BackwardPasses - passes;
        _losses = report.Losses;
        Problem = _batches.Problem;
        Progress = CurrentProgress();
    }

    private long Lag()
    {
        lock (_cursors)
        {
            return _cursors.Sum(cursor => Math.Max(0, _batches.End(cursor.Key) - cursor.Value));
        }
    }

    private void Advance(IReadOnlyList<SampleKey> keys)
    {
        lock (_cursors)
        {
            foreach (SampleKey key in keys)
            {
                _cursors[key.Shard] = Math.Max(_cursors[key.Shard], key.Sequence + 1);
            }
        }
    }

    /// <summary>Whether training follows from log and settings alone: nothing is decided by the clock.</summary>
    private bool IsDeterministic => Deal.Settings.RoundSteps > 0;

    /// <summary>Whether idle time was used up.</summary>
    private bool IsRehearsed =>
        _idleSteps >= Deal.Settings.IdleRehearsalSteps * (_learner!.Steps < YoungSteps ? (long)YoungPatience : 1);

    private bool IsRoundOver(out bool resting)
    {
        resting = _roundSamples == 0 || _batches.IsDrained;
        resting &= IsRehearsed && !_restingDelivered && _learner!.Steps > 0;
        var timeUp = IsDeterministic
            ? _roundSteps >= Deal.Settings.RoundSteps
            : _roundSteps > 0 && _services.Time.GetElapsedTime(_roundStarted).TotalSeconds >= _rounds.RoundSeconds;
        return resting || timeUp;
    }

    private async Task EndRoundAsync(bool resting, CancellationToken cancellationToken)
    {
        _rate = _roundSamples / Math.Max(0.001, _services.Time.GetElapsedTime(_roundStarted).TotalSeconds);
        Progress = CurrentProgress();
        using Span? span = Traces.Source.StartActivity(Traces.Round);
        span?.SetTag(Traces.DatasetTag, _desk.Dataset).SetTag(Traces.RoundTag, _desk.Round).SetTag(Traces.ItemsTag, _roundSamples);
        await _rounds.EndAsync(_learner!, new RoundWork(Cursors, _roundSamples, _roundPasses, _roundDrifts, _batches.TakeSkipped(shard => _cursors[shard]), Progress, resting), cancellationToken);
        (_roundSamples, _roundPasses, _roundSteps, _roundDrifts) = (0, 0, 0, []);
        _restingDelivered = resting;
        _roundStarted = _services.Time.GetTimestamp();
    }

    private SeatProgress CurrentProgress() => new()
    {
        Steps = _learner!.Steps,
        Samples = _learner.SamplesSeen,
        BackwardPasses = _learner.BackwardPasses,
        Losses = new Dictionary<string, double>(_losses, StringComparer.Ordinal),
        ReplayCount = _learner.ReplayCount,
        SamplesPerSecond = _rate,
        IdleSteps = _idleSteps,
        Segments = _learner.SegmentCount,
    };
}
