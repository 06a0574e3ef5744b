using Microsoft.Extensions.Logging;
using Shoal.Contracts;

namespace Shoal.Grains.Compute;

/// <summary>How soon work on the compute thread must run.</summary>
public enum ComputePriority
{
    /// <summary>Queries: next, after at most the step that is running.</summary>
    Urgent,

    /// <summary>First assignments: like queries, but for training's share of the time.</summary>
    Arrivals,

    /// <summary>Training steps.</summary>
    Training,

    /// <summary>Refreshing old assignments: within its share of the time.</summary>
    Refresh,
}

/// <summary>Owns every libtorch call of a silo: one thread, four priorities, bounded queues, datasets in turn.</summary>
/// <remarks>
/// Grain turns and the thread pool must never run libtorch: 5 s of work inside a turn delays other grains by 4 s,
/// on the thread pool by 1.6 s, on a thread of its own by 16 ms.
/// </remarks>
public sealed partial class ComputeThread : IDisposable
{
    // A seat that has a full batch waiting brings its next step long before.
    private static readonly TimeSpan TrainingPause = TimeSpan.FromMilliseconds(50);

    private static readonly ComputePriority[] ArrivalsFirst = [ComputePriority.Urgent, ComputePriority.Arrivals, ComputePriority.Training, ComputePriority.Refresh];
    private static readonly ComputePriority[] TrainingFirst = [ComputePriority.Urgent, ComputePriority.Training, ComputePriority.Arrivals, ComputePriority.Refresh];

    private readonly object _gate = new();
    private readonly WorkQueue[] _queues;
    private readonly Thread _thread;
    private readonly ComputeOptions _options;
    private readonly ILogger<ComputeThread> _logger;
    private readonly TimeProvider _time;
    private readonly TurnTaking _turns;
    private bool _stopping;
    private long _refreshNotBefore;
    private long _trainedAt = long.MinValue;
    private ComputePriority _running;
    private long _began;
    private long _refreshed;

    /// <summary>Starts the thread.</summary>
    /// <param name="options">Threads, queue lengths and the refresh share.</param>
    /// <param name="time">The clock that paces refresh.</param>
    /// <param name="logger">Where failures of the thread itself go.</param>
    public ComputeThread(ComputeOptions options, TimeProvider time, ILogger<ComputeThread> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _logger = logger;
        _turns = new TurnTaking(options.TrainingShare, time.TimestampFrequency);
        _queues = Array.ConvertAll(Enum.GetValues<ComputePriority>(), _ => new WorkQueue(options.QueueLength));
        NativeTuning.ApplyToProcess();
        _thread = new Thread(Loop) { IsBackground = true, Name = "shoal-compute" };
        _thread.Start();
    }

    /// <summary>Runs work on the compute thread.</summary>
    /// <param name="priority">How soon.</param>
    /// <param name="dataset">The dataset it is for; datasets of one priority take turns.</param>
    /// <param name="work">The work. It must dispose of every tensor that it makes.</param>
    /// <param name="cancellationToken">Takes the work back while it waits.</param>
    /// <typeparam name="T">What it returns; never a tensor that outlives the call.</typeparam>
    /// <exception cref="ShoalException">Overloaded: the queue is full. Try again later.</exception>
    public Task<T> RunAsync<T>(ComputePriority priority, string dataset, Func<T> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var item = new WorkItem<T>(work, cancellationToken);
        lock (_gate)
        {
            if (_stopping)
            {
                return Task.FromException<T>(new ShoalException(ShoalErrorKind.Unavailable, "The silo is stopping; ask another or try again."));
            }

            if (!_queues[(int)priority].TryAdd(dataset, item))
            {
                return Task.FromException<T>(new ShoalException(
                    ShoalErrorKind.Overloaded, $"{_options.QueueLength} {priority} requests wait for this silo's compute thread; try again in a second."));
            }

            Monitor.Pulse(_gate);
        }

        return item.Task;
    }

    /// <summary>Runs work that returns nothing.</summary>
    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(ComputePriority priority, string dataset, Action work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return RunAsync(priority, dataset, () => { work(); return true; }, cancellationToken);
    }

    /// <summary>Runs the urgent work that waits now, and arrivals whose turn it is: for long work to call between its pieces.</summary>
    /// <exception cref="InvalidOperationException">Called from another thread than this one's own.</exception>
    public void RunUrgent()
    {
        if (Thread.CurrentThread != _thread)
        {
            throw new InvalidOperationException("Only work that runs on the compute thread may let urgent work pass.");
        }

        ComputePriority outer = _running;
        Account();
        while (TryTakePassing(outer, out IWorkItem? item))
        {
            item.Run();
            Account(heldUp: outer);
        }

        _running = outer;
    }

    /// <summary>Ends the running work, refuses what waits, and joins the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
    }

    private void Loop()
    {
        try
        {
            NativeTuning.ApplyToThread(_options);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            LogNoTorch(e);
        }

        var heap = new HeapTrim(HeapTrim.Growth, _time);
        while (true)
        {
            IWorkItem? item;
            ComputePriority priority;
            lock (_gate)
            {
                while (!_stopping && !TryTake(out _, out _, take: false))
                {
                    // Refresh that waits for its share is looked at again after that time; anything else pulses.
                    Monitor.Wait(_gate, _queues[(int)ComputePriority.Refresh].Count > 0 ? 20 : Timeout.Infinite);
                }

                if (_stopping)
                {
                    break;
                }

                TryTake(out item, out priority, take: true);
            }

            (_running, _began, _refreshed) = (priority, _time.GetTimestamp(), 0);
            item!.Run();
            Account();
            if (priority == ComputePriority.Training)
            {
                _trainedAt = _time.GetTimestamp();
                heap.Look();
            }
            else if (priority == ComputePriority.Refresh)
            {
                // A batch that took d, without what passed it, pauses refresh for d·(1/share − 1), so that its share of the time stays below the setting.
                _refreshNotBefore = _began + (long)(_refreshed * ((1 / _options.RefreshShare) - 1));
            }
        }

        lock (_gate)
        {
            foreach (WorkQueue queue in _queues)
            {
                while (queue.TryTake(out IWorkItem? left))
                {
                    left.Refuse(new ShoalException(ShoalErrorKind.Unavailable, "The silo is stopping; ask another or try again."));
                }
            }
        }
    }

    // Charges what ran since the last look to whose time it was.
    private void Account(ComputePriority? heldUp = null)
    {
        var now = _time.GetTimestamp();
        _refreshed += _running == ComputePriority.Refresh ? now - _began : 0;
        lock (_gate)
        {
            _turns.Ran(_running, now - _began, trainingWaits: heldUp == ComputePriority.Training || _queues[(int)ComputePriority.Training].Count > 0);
        }

        _began = now;
    }

    // What may pass long work. Arrivals let no other arrivals pass, or each would wait for all that come after it.
    private bool TryTakePassing(ComputePriority outer, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IWorkItem? item)
    {
        lock (_gate)
        {
            _running = ComputePriority.Urgent;
            if (_queues[(int)ComputePriority.Urgent].TryTake(out item))
            {
                return true;
            }

            _running = ComputePriority.Arrivals;
            return (outer == ComputePriority.Refresh || (outer == ComputePriority.Training && !_turns.TrainingIsFirst)) && _queues[(int)ComputePriority.Arrivals].TryTake(out item);
        }
    }

    private bool TryTake(out IWorkItem? item, out ComputePriority priority, bool take)
    {
        foreach (ComputePriority next in _turns.TrainingIsFirst ? TrainingFirst : ArrivalsFirst)
        {
            priority = next;
            WorkQueue queue = _queues[(int)priority];
            if (queue.Count == 0 || (priority == ComputePriority.Refresh && MustWait()))
            {
                continue;
            }

            item = null;
            return !take || queue.TryTake(out item);
        }

        (item, priority) = (null, default);
        return false;
    }

    // Refresh is held to its share only while training asks for all of the time: when it waits for samples, or is done,
    // refresh takes what it leaves.
    private bool MustWait() =>
        _trainedAt != long.MinValue
        && _time.GetElapsedTime(_trainedAt) < TrainingPause
        && _time.GetTimestamp() < _refreshNotBefore;

    [LoggerMessage(EventId = 100, EventName = "TorchMissing", Level = LogLevel.Critical,
        Message = "libtorch cannot be loaded: run infra/native-deps.sh --check to see what is missing")]
    private partial void LogNoTorch(Exception exception);

    private interface IWorkItem
    {
        void Run();

        void Refuse(Exception reason);
    }

    private sealed class WorkItem<T>(Func<T> work, CancellationToken cancellationToken) : IWorkItem
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _done.Task;

        public void Run()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _done.TrySetCanceled(cancellationToken);
                return;
            }

            try
            {
                _done.TrySetResult(work());
            }
#pragma warning disable CA1031 // The failure belongs to whoever asked; the thread must go on for the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _done.TrySetException(e);
            }
        }

        public void Refuse(Exception reason) => _done.TrySetException(reason);
    }

    /// <summary>One priority's work: a queue a dataset, served in turn.</summary>
    private sealed class WorkQueue(int capacity)
    {
        private readonly LinkedList<(string Dataset, Queue<IWorkItem> Items)> _turns = [];
        private readonly Dictionary<string, Queue<IWorkItem>> _byDataset = new(StringComparer.Ordinal);

        public int Count { get; private set; }

        public bool TryAdd(string dataset, IWorkItem item)
        {
            if (Count >= capacity)
            {
                return false;
            }

            if (!_byDataset.TryGetValue(dataset, out Queue<IWorkItem>? items))
            {
                items = new Queue<IWorkItem>();
                _byDataset.Add(dataset, items);
                _turns.AddLast((dataset, items));
            }

            items.Enqueue(item);
            Count++;
            return true;
        }

        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IWorkItem? item)
        {
            if (_turns.First is not { } first)
            {
                item = null;
                return false;
            }

            _turns.RemoveFirst();
            item = first.Value.Items.Dequeue();
            Count--;
            if (first.Value.Items.Count > 0)
            {
                _turns.AddLast(first);
            }
            else
            {
                _byDataset.Remove(first.Value.Dataset);
            }

            return true;
        }
    }
}
