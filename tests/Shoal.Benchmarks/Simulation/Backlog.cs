namespace Shoal.Benchmarks.Simulation;

/// <summary>A dataset's items on their way into what is learned: every one that arrived is queued, in a seat's hands, or trained on for good.</summary>
internal sealed class Backlog
{
    private readonly Dictionary<(int Seat, long Round), double> _inHand = [];
    private readonly double _rate;
    private double[] _queued;
    private double[] _shares;
    private double _at;

    /// <summary>Begins.</summary>
    /// <param name="rate">Items that arrive in a second.</param>
    /// <param name="waiting">Items that wait at the beginning.</param>
    /// <param name="shards">Shards, dealt to seats one after the other.</param>
    /// <param name="seats">Seats.</param>
    public Backlog(double rate, double waiting, int shards, int seats)
    {
        (_rate, Arrived) = (rate, waiting);
        _shares = Shares(shards, seats);
        _queued = Array.ConvertAll(_shares, share => share * waiting);
    }

    /// <summary>Items that arrived until the last look.</summary>
    public double Arrived { get; private set; }

    /// <summary>Items that were trained on and committed.</summary>
    public double Trained { get; private set; }

    /// <summary>Items that wait.</summary>
    public double Queued => _queued.Sum();

    /// <summary>Items that were trained on and are not committed yet.</summary>
    public double InHand => _inHand.Values.Sum();

    /// <summary>Lets time pass.</summary>
    /// <param name="now">The time.</param>
    public void Advance(double now)
    {
        var came = (now - _at) * _rate;
        _at = now;
        Arrived += came;
        for (var seat = 0; seat < _queued.Length; seat++)
        {
            _queued[seat] += came * _shares[seat];
        }
    }

    /// <summary>A seat trains.</summary>
    /// <param name="seat">The seat.</param>
    /// <param name="round">Its round.</param>
    /// <param name="most">How many items it has time for.</param>
    public void Take(int seat, long round, double most)
    {
        var taken = Math.Min(most, _queued[seat]);
        _queued[seat] -= taken;
        _inHand[(seat, round)] = _inHand.GetValueOrDefault((seat, round)) + taken;
    }

    /// <summary>What a seat did in a round counts.</summary>
    /// <param name="seat">The seat.</param>
    /// <param name="round">The round.</param>
    public void Commit(int seat, long round)
    {
        _inHand.Remove((seat, round), out var taken);
        Trained += taken;
    }

    /// <summary>What a seat did in a round is given up: it is to be done again.</summary>
    /// <param name="seat">The seat.</param>
    /// <param name="round">The round.</param>
    public void GiveBack(int seat, long round)
    {
        _inHand.Remove((seat, round), out var taken);
        _queued[seat] += taken;
    }

    /// <summary>Deals anew: whatever is not committed is to be done again.</summary>
    /// <param name="shards">Shards.</param>
    /// <param name="seats">Seats from now on.</param>
    public void Deal(int shards, int seats)
    {
        var all = Queued + InHand;
        _inHand.Clear();
        _shares = Shares(shards, seats);
        _queued = Array.ConvertAll(_shares, share => share * all);
    }

    // Dealt in turn, so that some seats have a shard more than others.
    private static double[] Shares(int shards, int seats) =>
        [.. Enumerable.Range(0, seats).Select(seat => ((shards / seats) + (seat < shards % seats ? 1 : 0)) / (double)shards)];
}
