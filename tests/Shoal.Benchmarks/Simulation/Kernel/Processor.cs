namespace Shoal.Benchmarks.Simulation;

/// <summary>A silo's compute thread: seats that train take turns step by step, so that each gets an equal share of it; what is not made of steps stops them all.</summary>
/// <remarks>
/// Nobody's steps are followed. All shares are equal, so one number says what each has got: <see cref="Each"/>, in seconds of the whole thread. It grows at one over the number of those that work.
/// </remarks>
/// <param name="loop">The simulated time.</param>
internal sealed class Processor(EventLoop loop)
{
    private readonly SortedSet<(double Target, long Order, Action Resume)> _works = new(Comparer<(double Target, long Order, Action Resume)>.Create(
        static (a, b) => a.Target.CompareTo(b.Target) is var order && order != 0 ? order : a.Order.CompareTo(b.Order)));

    private readonly Gate _wholes = new(loop);
    private int _active;
    private bool _stopped;
    private double _each;
    private double _at;
    private long _order;
    private long _plan;

    /// <summary>What it has done for each of those that worked all the time, in seconds of the whole thread.</summary>
    public double Each
    {
        get
        {
            Advance();
            return _each;
        }
    }

    /// <summary>How many share it.</summary>
    public int Active => _active;

    /// <summary>A seat begins to train: it takes its share until it leaves.</summary>
    public void Enter() => Change(+1, _stopped);

    /// <summary>A seat stops training.</summary>
    public void Leave() => Change(-1, _stopped);

    /// <summary>Does a piece of work in steps, beside what the others have.</summary>
    /// <param name="seconds">Seconds of the whole thread.</param>
    public Moment Work(double seconds) => new(resume =>
    {
        Advance();
        _works.Add((_each + seconds, _order++, resume));
        Change(+1, _stopped);
    });

    /// <summary>Does work that is not made of steps: each piece waits for a step of everyone, and while it runs nobody else gets anything.</summary>
    /// <param name="seconds">Seconds of the whole thread.</param>
    /// <param name="pieces">How many pieces.</param>
    /// <param name="step">A step, in seconds of the whole thread.</param>
    public async Task WorkWholeAsync(double seconds, int pieces, double step)
    {
        for (var piece = 0; piece < pieces; piece++)
        {
            await loop.Delay(_active * step);
            await _wholes.Enter();
            Change(0, stopped: true);
            await loop.Delay(seconds / pieces);
            Change(0, stopped: false);
            _wholes.Leave();
        }
    }

    private void Change(int by, bool stopped)
    {
        Advance();
        _active += by;
        _stopped = stopped;
        Plan();
    }

    private void Advance()
    {
        if (_active > 0 && !_stopped)
        {
            _each += (loop.Now - _at) / _active;
        }

        _at = loop.Now;
    }

    // When the next piece of work ends changes whenever somebody comes or goes: an event of an older plan finds another number and does nothing.
    private void Plan()
    {
        var plan = ++_plan;
        if (_works.Count > 0 && !_stopped)
        {
            loop.At(loop.Now + ((_works.Min.Target - _each) * _active), () => EndFirst(plan));
        }
    }

    private void EndFirst(long plan)
    {
        if (plan != _plan)
        {
            return;
        }

        Advance();
        Action resume = _works.Min.Resume;
        _works.Remove(_works.Min);
        Change(-1, stopped: false);
        resume();
    }
}
