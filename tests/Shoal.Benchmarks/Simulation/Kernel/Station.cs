namespace Shoal.Benchmarks.Simulation;

/// <summary>Something that does one piece of work after the other in the order in which they come: a grain's turn, a link, a store's requests.</summary>
/// <remarks>
/// What comes in great numbers of small pieces (polls, items, queries that are not followed one by one) is a share of its time, its <see cref="Background"/>: what is
/// followed takes longer by as much. A share of 1 and more is more than it can do.
/// </remarks>
/// <param name="loop">The simulated time.</param>
/// <param name="servers">How many pieces at once; a turn has one.</param>
internal sealed class Station(EventLoop loop, int servers = 1)
{
    // What is followed still gets something where the background alone is too much: it ends late, and does not stand for ever.
    private const double MostBackground = 0.98;

    private readonly Queue<(double Seconds, double Came, Action Resume)> _waiting = new();
    private int _busy;
    private double _background;
    private double _backgroundSince;
    private double _backgroundSeconds;
    private double _asked;

    /// <summary>The share of its time that is taken by what is not followed piece by piece; may be more than 1.</summary>
    public double Background
    {
        get => _background;
        set
        {
            _backgroundSeconds += _background * (loop.Now - _backgroundSince);
            (_background, _backgroundSince) = (value, loop.Now);
        }
    }

    /// <summary>Seconds that what is followed waited in all before its work began.</summary>
    public double Waited { get; private set; }

    /// <summary>Seconds of work asked for so far, followed and not, done and waiting.</summary>
    public double Asked => _asked + _backgroundSeconds + (_background * (loop.Now - _backgroundSince));

    /// <summary>The share of all of its time that was asked for.</summary>
    public double Utilisation => loop.Now > 0 ? Asked / (servers * loop.Now) : 0;

    /// <summary>Works for so long, after what came before.</summary>
    /// <param name="seconds">Seconds of its time, were there no background.</param>
    public Moment Use(double seconds) => new(resume => Take(seconds, resume));

    private void Take(double seconds, Action resume)
    {
        _asked += seconds;
        if (_busy < servers)
        {
            Begin(seconds, loop.Now, resume);
        }
        else
        {
            _waiting.Enqueue((seconds, loop.Now, resume));
        }
    }

    private void Begin(double seconds, double came, Action resume)
    {
        _busy++;
        Waited += loop.Now - came;
        loop.At(loop.Now + (seconds / (1 - Math.Min(MostBackground, _background))), () => End(resume));
    }

    private void End(Action resume)
    {
        _busy--;
        if (_waiting.TryDequeue(out (double Seconds, double Came, Action Resume) next))
        {
            Begin(next.Seconds, next.Came, next.Resume);
        }

        resume();
    }
}
