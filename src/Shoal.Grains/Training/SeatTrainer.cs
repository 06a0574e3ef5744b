using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Datasets;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Trains under one deal until it is stopped: reads samples, steps, and hands over a round at its end.</summary>
/// <remarks>
/// Runs beside the grain, on the thread pool; every libtorch call goes through the compute thread. What it did since
/// the last round is in memory only: a crash or a new deal does it again from the manifest's cursors.
/// </remarks>
internal sealed partial class SeatTrainer : IAsyncDisposable
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(2);

    // As many steps as 60,000 items take with the default rehearsal: fewer leave kinds undrawn apart, more gain little on MNIST.
    private const int YoungSteps = 720;

    // How much longer than its settings say a young dataset rehearses at most: 100 steps become 600, which 11,000 items need.
    private const int YoungPatience = 6;

    private readonly TrainerServices _services;
    private readonly ILogger<SeatTrainer> _logger;
    private readonly string _dataset;
    private readonly string _seat;
    private readonly Deal _deal;
    private readonly LearnerOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly BatchReader _batches;
    private readonly GoneSamples _gone;
    private readonly Dictionary<int, long> _cursors;
    private readonly Task _running;

    private Learner? _learner;
    private Task _delivering = Task.CompletedTask;
    private volatile string _activity = "starting";
    private volatile bool _waitsForStorage;
    private PublishedVersion? _published;

    // A version that was published of this learner's last candidate, and that the learner does not know of yet.
    private PublishedVersion? _news;
    private long[] _pinned = [];
    private long _round;
    private long _bankCount;
    private long _roundStarted;
    private long _roundSamples;
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
        _seat = seat;
        _deal = deal;
        _dataset = GrainKeys.Split(seat).Dataset;
        _options = LearnerSettings.Options(deal.Settings) with { Retreats = deal.Retreats };
        _round = deal.Round;
        _published = deal.Published;
        _idleSteps = deal.IdleSteps;
        _cursors = deal.Cursors.ToDictionary(c => c.Shard, c => c.Next);
        _gone = new GoneSamples(services, _dataset);
        var reader = new SampleReader(services, _dataset, MediaSettings.Decoder(deal.Settings), deal.Cursors, 2 * _options.FreshPerStep, strict: IsDeterministic);
        _batches = new BatchReader(reader, LearnerSettings.Shape(deal.Settings), _options.FreshPerStep, services.Time, strict: IsDeterministic);
        _running = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>What it does now.</summary>
    public string Activity
    {
        get => _waitsForStorage ? "waiting for storage" : _activity;
        private set => _activity = value;
    }

    /// <summary>What went wrong last; null while all works.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether it has ended for good: by a newer deal or a failure. The model deals anew.</summary>
    public bool HasEnded => _running.IsCompleted;

    /// <summary>The deal it works under.</summary>
    public Deal Deal => _deal;

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

    /// <summary>Looks for new items now: a hint came.</summary>
    public void Wake() => _batches.Wake();

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
        try
        {
            await BeginAsync();
            while (!cancellationToken.IsCancellationRequested)
            {
                if (_delivering.IsFaulted)
                {
                    // A refused round: what was trained since is built on it.
                    await _delivering;
                }

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
        catch (ShoalException e) when (e.Kind == ShoalErrorKind.Conflict)
        {
            Problem = e.Message;
            LogReplaced(_dataset, _deal.Term, e.Message);
        }
#pragma warning disable CA1031 // Whatever it is, the seat ends, says why in its report, and the model deals anew from the last checkpoint.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Problem = e.Message;
            LogFailed(_dataset, _deal.Term, e);
        }
        finally
        {
            // A delivery under way ends by itself: cancelled, refused, or taken.
            await _delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _waitsForStorage = false;
            Activity = "ended";
            if (_learner is { } learner)
            {
                await _services.Compute.RunAsync(ComputePriority.Training, _dataset, learner.Dispose, CancellationToken.None);
            }
        }
    }

    private async Task BeginAsync()
    {
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = [];
        foreach ((var name, Claim claim) in _deal.Checkpoint)
        {
            parts[name] = await TensorFiles.ReadAsync(_services.Store, claim);
        }

        BankKeys keys = await _services.Grains.GetGrain<IMemoryBankGrain>(_dataset).PullAsync(0);
        BankState bank = TensorFiles.Bank(keys);
        SampleShape shape = LearnerSettings.Shape(_deal.Settings);
        _learner = await _services.Compute.RunAsync(
            ComputePriority.Training, _dataset, () => parts.Count == 0 ? new Learner(shape, _options, _services.Device) : Learner.Restore(shape, _options, parts, bank, _services.Device));
        _learner.Between = _services.Compute.RunUrgent;
        _news = _deal.CheckpointIsPublished ? _deal.Published : null;
        _bankCount = bank.Count;
        _roundStarted = _services.Time.GetTimestamp();
        _restingDelivered = _deal.Rested;
        // Before its first step: a checkpoint may hold what was deleted after it was written.
        await RetryAsync(ForgetAsync, _stop.Token);
        LogBegun(_dataset, _deal.Term, _round, _learner.Steps);
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
            catch (Exception e) when (MayPass(e))
            {
                // A shard that is away holds up nobody's training: the next look asks it again.
                Problem = e.Message;
            }
        }

        FreshBatch batch = await _batches.TakeAsync(cancellationToken);
        StepReport report;
        if (batch.Samples is { } fresh)
        {
            Activity = "training";
            Task<StepReport> step = _services.Compute.RunAsync(ComputePriority.Training, _dataset, () => _learner!.Observe(fresh), cancellationToken);
            _batches.BeginNext(cancellationToken);
            report = await step;
            _idleSteps = 0;
            _restingDelivered = false;
            _roundSamples += fresh.Count;
            Advance(batch.Read);
            if (report.Drift is { } separation)
            {
                _roundDrifts.Add(new DriftSighting(_services.Time.GetUtcNow(), _learner!.SamplesSeen, separation));
            }
        }
        else if (batch == FreshBatch.Empty && !IsRehearsed && _learner!.ReplayCount >= _options.FreshPerStep && (_batches.IsDrained || !IsDeterministic))
        {
            Activity = "rehearsing";
            _restingDelivered = false;
            report = await _services.Compute.RunAsync(ComputePriority.Training, _dataset, _learner!.Rehearse, cancellationToken);
            _idleSteps++;
        }
        else
        {
            Advance(batch.Read);

            // Who waits for this dataset to rest waits for the last round, too.
            Activity = _restingDelivered || _learner!.Steps == 0 ? "idle" : "settling";
            Problem = _batches.Problem;
            await _batches.WaitAsync(_services.Poll, cancellationToken);
            return;
        }

        _roundSteps++;
        _losses = report.Losses;
        Problem = _batches.Problem;
        Progress = CurrentProgress();
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
    private bool IsDeterministic => _deal.Settings.RoundSteps > 0;

    /// <summary>Whether idle time was used up.</summary>
    private bool IsRehearsed =>
        _idleSteps >= _deal.Settings.IdleRehearsalSteps * (_learner!.Steps < YoungSteps ? (long)YoungPatience : 1);

    private bool IsRoundOver(out bool resting)
    {
        resting = _roundSamples == 0 || _batches.IsDrained;
        resting &= IsRehearsed && !_restingDelivered && _learner!.Steps > 0;
        var timeUp = IsDeterministic
            ? _roundSteps >= _deal.Settings.RoundSteps
            : _roundSteps > 0 && _services.Time.GetElapsedTime(_roundStarted).TotalSeconds >= _deal.Settings.RoundSeconds;
        return resting || timeUp;
    }

    /// <summary>Closes a round and begins the next; the closed one is written and delivered beside the next one's steps.</summary>
    private async Task EndRoundAsync(bool resting, CancellationToken cancellationToken)
    {
        // At most one round is on its way: a store that is slow or away holds training at the end of the next.
        await _delivering;
        _rate = _roundSamples / Math.Max(0.001, _services.Time.GetElapsedTime(_roundStarted).TotalSeconds);
        ClosedRound round = await CloseAsync(resting, cancellationToken);
        _delivering = DeliverAsync(round, cancellationToken);
        if (resting)
        {
            // Nothing else is to be done, and who waits for this dataset to rest waits for the version, too.
            await _delivering;
        }

        _bankCount = round.Keys.Count;
        _roundSamples = 0;
        _roundSteps = 0;
        _roundDrifts = [];
        _restingDelivered = resting;
        _roundStarted = _services.Time.GetTimestamp();
    }

    /// <summary>Ids of clusters that users pinned; as last known while their registry is away.</summary>
    private async Task<long[]> PinnedAsync()
    {
        try
        {
            return _pinned = (await _services.Grains.GetGrain<IClustersGrain>(_dataset).GetDirectoryAsync()).Pinned;
        }
        catch (Exception e) when (e is ShoalException or StorageUnavailableException or TimeoutException or OrleansException)
        {
            Problem = e.Message;
            return _pinned;
        }
    }

    /// <summary>Between rounds: mines, refits, judges, and copies the state out of libtorch. Urgent work may come between the parts.</summary>
    private async Task<ClosedRound> CloseAsync(bool resting, CancellationToken cancellationToken)
    {
        Embedder? published = _published is { } version ? await _services.Models.GetAsync(_dataset, version) : null;
        Task<T> RunAsync<T>(Func<T> part) => _services.Compute.RunAsync(ComputePriority.Training, _dataset, part, cancellationToken);
        var pinned = await PinnedAsync();
        PublishedVersion? news = _news;
        Learner learner = _learner!;
        RefitReport refit = await RunAsync(() =>
        {
            if (news is not null)
            {
                learner.Publish(news.Clusters);
            }

            return learner.Refit(pinned);
        });
        _news = null;
        Evidence evidence = await RunAsync(() => learner.Judge(published));
        Progress = CurrentProgress();
        return await RunAsync(() => new ClosedRound(
            _round, Cursors, _roundSamples, _roundDrifts, Progress with { Rested = resting }, resting, _services.Time.GetUtcNow(),
            learner.Snapshot(), learner.BankSince(_bankCount), learner.Export(), evidence, refit.Descent));
    }

    private async Task DeliverAsync(ClosedRound round, CancellationToken cancellationToken)
    {
        Dictionary<string, Claim> parts = new(StringComparer.Ordinal);
        foreach ((var name, IReadOnlyList<NamedTensor> tensors) in round.Parts)
        {
            parts[name] = await WriteAsync(round.Round, name, tensors, cancellationToken);
        }

        Claim candidate = await WriteAsync(round.Round, "candidate", round.Candidate, cancellationToken);
        RoundDelivery delivery = round.Deliver(_seat, _deal.Term, parts, candidate);
        // The model may be the one that stops this seat, and waits for it: then nobody waits for the answer. Taken or not, the manifest says.
        DeliveryReceipt receipt = await RetryAsync(
            () => _services.Grains.GetGrain<IModelGrain>(_dataset).DeliverAsync(delivery).WaitAsync(cancellationToken), cancellationToken);
        _round = receipt.NextRound;
        _news = receipt.Published;
        _published = receipt.Published ?? _published;
    }

    private Task<Claim> WriteAsync(long round, string part, IReadOnlyList<NamedTensor> tensors, CancellationToken cancellationToken) =>
        RetryAsync(() => TensorFiles.WriteAsync(_services.Store, StoreNames.RoundPart(_dataset, _deal.Term, round, part), tensors), cancellationToken);

    /// <summary>Tries until storage and model answer, as long as they are away.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                T result = await attempt();
                _waitsForStorage = false;
                return result;
            }
            catch (Exception e) when (MayPass(e))
            {
                _waitsForStorage = true;
                Problem = e.Message;
                LogWaiting(_dataset, _round, e.Message);
                await Task.Delay(RetryTime, _services.Time, cancellationToken);
            }
        }
    }

    private static bool MayPass(Exception e) => e is StorageUnavailableException or ShoalException { IsTransient: true } or TimeoutException or OrleansException;

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
