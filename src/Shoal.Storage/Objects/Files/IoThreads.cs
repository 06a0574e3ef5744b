using System.Collections.Concurrent;

namespace Shoal.Storage;

/// <summary>Runs blocking system calls on threads of their own: on two cores a few syncs would starve the thread pool.</summary>
internal sealed class IoThreads : IDisposable
{
    // Unbounded, because every entry is an awaited call of somebody who is bounded himself (one append in flight per log).
    private readonly BlockingCollection<Action> _work = [];

    internal IoThreads(string name, int count)
    {
        for (int i = 0; i < count; i++)
        {
            new Thread(Work) { IsBackground = true, Name = $"{name}-{i}" }.Start();
        }
    }

    internal Task<T> Run<T>(Func<T> call, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(ct);
        }

        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(
            () =>
            {
                if (ct.IsCancellationRequested)
                {
                    done.TrySetCanceled(ct);
                    return;
                }

                try
                {
                    done.TrySetResult(call());
                }
                catch (Exception e)
                {
                    done.TrySetException(e);
                }
            },
            CancellationToken.None);
        return done.Task;
    }

    // The threads drain what was queued and then end.
    public void Dispose() => _work.CompleteAdding();

    private void Work()
    {
        foreach (Action call in _work.GetConsumingEnumerable())
        {
            call();
        }
    }
}
