using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Shoal.Benchmarks.Simulation;

/// <summary>The simulated time and what is to happen in it: processes are async methods that wait for nothing but this loop.</summary>
/// <remarks>
/// One thread, no clock: what is due at one moment happens in the order in which it was asked for, so that a run follows from its inputs and its seed alone.
/// </remarks>
internal sealed class EventLoop
{
    private readonly PriorityQueue<Action, (double At, long Order)> _due = new();
    private readonly List<Task> _processes = [];
    private long _order;

    /// <summary>Seconds since the simulation began.</summary>
    public double Now { get; private set; }

    /// <summary>Lets something happen at a time.</summary>
    /// <param name="time">When; not before now.</param>
    /// <param name="what">What.</param>
    public void At(double time, Action what) => _due.Enqueue(what, (Math.Max(Now, time), _order++));

    /// <summary>Waits.</summary>
    /// <param name="seconds">For how long.</param>
    public Moment Delay(double seconds) => Until(Now + seconds);

    /// <summary>Waits until a time.</summary>
    /// <param name="time">The time.</param>
    public Moment Until(double time) => new(resume => At(time, resume));

    /// <summary>Begins a process.</summary>
    /// <param name="process">What it does.</param>
    public void Start(Func<Task> process) => _processes.Add(process());

    /// <summary>Runs until a time; what is due later does not happen.</summary>
    /// <param name="end">The time.</param>
    public void Run(double end)
    {
        // With a context of the caller's, or a scheduler's, continuations would go to other threads, in whatever order these find.
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            while (_due.TryPeek(out Action? what, out var when) && when.At <= end)
            {
                _due.Dequeue();
                Now = when.At;
                what();
            }

            Now = end;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }

        if (_processes.Find(process => process.IsFaulted) is { } failed)
        {
            ExceptionDispatchInfo.Throw(failed.Exception!.InnerException!);
        }
    }
}

/// <summary>Something to wait for that hands its continuation to whoever ends the wait.</summary>
/// <param name="suspend">Takes the continuation.</param>
internal readonly struct Moment(Action<Action> suspend) : INotifyCompletion
{
    /// <summary>Always false: whoever waits goes on when the loop says so.</summary>
#pragma warning disable CA1822 // An awaiter's shape.
    public bool IsCompleted => false;

    /// <summary>Nothing comes of it.</summary>
    public void GetResult()
    {
        // An awaiter's shape.
    }
#pragma warning restore CA1822

    /// <summary>It is its own awaiter.</summary>
    public Moment GetAwaiter() => this;

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => suspend(continuation);
}
