using Shoal.Contracts;

namespace Shoal.Pages.Live;

/// <summary>
/// Reads something again and again for as long as anybody watches, and tells all who do: any number of open pages cost as much as one.
/// </summary>
/// <typeparam name="T">What is read; a new object each time.</typeparam>
public sealed class LiveView<T> : IDisposable
    where T : class
{
    private readonly Func<CancellationToken, Task<T>> _read;
    private readonly TimeSpan _every;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stopping;
    private readonly Action _ended;
    private readonly Lock _lock = new();
    private readonly List<Action> _watchers = [];
    private readonly SemaphoreSlim _reading = new(1);
    private long _leftAt;
    private bool _runs;

    /// <summary>Reads nothing yet.</summary>
    /// <param name="read">How it is read; throws <see cref="ShoalException"/> alone.</param>
    /// <param name="every">How long it waits between two readings.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ended">Called when nobody has watched for a minute and reading ends; null where nobody wants to know.</param>
    /// <param name="stopping">Cancelled when the process ends.</param>
    public LiveView(Func<CancellationToken, Task<T>> read, TimeSpan every, TimeProvider time, Action? ended = null, CancellationToken stopping = default)
    {
        _read = read;
        _every = every;
        _time = time;
        _ended = ended ?? (static () => { });
        _stopping = stopping;
    }

    /// <summary>What is known now.</summary>
    public LiveState<T> State { get; private set; } = new();

    /// <summary>Begins to watch.</summary>
    /// <param name="changed">Called after each reading, from any thread; it must return at once.</param>
    /// <returns>Ends it when disposed.</returns>
    public IDisposable Watch(Action changed)
    {
        lock (_lock)
        {
            _watchers.Add(changed);
            if (!_runs)
            {
                _runs = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }

        return new Watcher(this, changed);
    }

    /// <summary>Reads now, and tells all who watch: after an edit, whose effect should be seen at once.</summary>
    public Task RefreshAsync() => ReadAsync();

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();

    private async Task RunAsync()
    {
        bool left = false;
        try
        {
            while (!left)
            {
                await ReadAsync();
                await Task.Delay(_every, _time, _stopping);
                left = IsLeft();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            // Whoever comes next begins anew where a reading failed as none should.
            if (!left)
            {
                lock (_lock)
                {
                    _runs = false;
                }
            }
        }

        _ended();
    }

    private bool IsLeft()
    {
        lock (_lock)
        {
            bool left = _watchers.Count == 0 && _time.GetElapsedTime(_leftAt) >= LiveTimes.Linger;
            _runs = !left;
            return left;
        }
    }

    private async Task ReadAsync()
    {
        await _reading.WaitAsync(_stopping);
        LiveState<T> next = State with { Problem = "This page could not be read because of a fault inside; reload it." };
        try
        {
            T value = await _read(_stopping);
            next = new LiveState<T> { Value = value, ReadAt = _time.GetUtcNow() };
        }
        catch (ShoalException failure)
        {
            next = State with { Problem = failure.Message, Kind = failure.Kind };
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            next = State;
        }
        finally
        {
            State = next;
            _reading.Release();
            Tell();
        }
    }

    private void Tell()
    {
        Action[] watchers;
        lock (_lock)
        {
            watchers = [.. _watchers];
        }

        foreach (Action changed in watchers)
        {
            changed();
        }
    }

    private void Leave(Action changed)
    {
        lock (_lock)
        {
            if (_watchers.Remove(changed) && _watchers.Count == 0)
            {
                _leftAt = _time.GetTimestamp();
            }
        }
    }

    private sealed class Watcher(LiveView<T> view, Action changed) : IDisposable
    {
        private Action? _changed = changed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _changed, null) is { } left)
            {
                view.Leave(left);
            }
        }
    }
}
