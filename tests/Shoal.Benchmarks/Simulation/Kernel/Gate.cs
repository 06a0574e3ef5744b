namespace Shoal.Benchmarks.Simulation;

/// <summary>Lets one in at a time, in the order in which they come: calls of a grain that is not reentrant, which keeps the others out while it waits for something.</summary>
/// <param name="loop">The simulated time.</param>
internal sealed class Gate(EventLoop loop)
{
    private readonly Queue<Action> _waiting = new();
    private bool _taken;

    /// <summary>Waits to be let in; whoever is in calls <see cref="Leave"/>.</summary>
    public Moment Enter() => new(resume =>
    {
        if (_taken)
        {
            _waiting.Enqueue(resume);
        }
        else
        {
            _taken = true;
            loop.At(loop.Now, resume);
        }
    });

    /// <summary>Lets the next one in.</summary>
    public void Leave()
    {
        _taken = _waiting.TryDequeue(out Action? next);
        if (next is not null)
        {
            loop.At(loop.Now, next);
        }
    }
}

/// <summary>Something that many wait for and that happens once.</summary>
/// <param name="loop">The simulated time.</param>
internal sealed class Signal(EventLoop loop)
{
    private readonly List<Action> _waiting = [];
    private bool _happened;

    /// <summary>Waits until it happens.</summary>
    public Moment Wait() => new(resume =>
    {
        if (_happened)
        {
            loop.At(loop.Now, resume);
        }
        else
        {
            _waiting.Add(resume);
        }
    });

    /// <summary>It happens: whoever waits goes on.</summary>
    public void Set()
    {
        _happened = true;
        _waiting.ForEach(resume => loop.At(loop.Now, resume));
        _waiting.Clear();
    }
}
