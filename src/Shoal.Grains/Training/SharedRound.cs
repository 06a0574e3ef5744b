using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>One round of several seats: gathers what they did, and what became of it once it is over. Kept by the model.</summary>
/// <param name="round">The round.</param>
/// <param name="begunAt">When it began.</param>
/// <param name="seconds">For how long it trains.</param>
internal sealed class SharedRound(long round, long begunAt, double seconds)
{
    private readonly Dictionary<string, SeatDelivery> _deliveries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _idle = new(StringComparer.Ordinal);
    private RoundOutcome? _outcome;

    /// <summary>The round.</summary>
    public long Round => round;

    /// <summary>What was delivered.</summary>
    public IReadOnlyCollection<SeatDelivery> Deliveries => _deliveries.Values;

    /// <summary>When it began.</summary>
    public long BegunAt => begunAt;

    /// <summary>For how long it trains.</summary>
    public double Seconds => seconds;

    /// <summary>When the last seat so far delivered; null before the first.</summary>
    public long? LastAt { get; private set; }

    /// <summary>Takes a delivery; one that comes again takes the place of the one before.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="now">The time.</param>
    public void Take(SeatDelivery delivery, long now)
    {
        _deliveries[delivery.Seat] = delivery;
        LastAt = now;
    }

    /// <summary>Whether a seat has delivered.</summary>
    /// <param name="seat">The seat's grain key.</param>
    public bool Has(string seat) => _deliveries.ContainsKey(seat);

    /// <summary>The round is over.</summary>
    /// <param name="outcome">What the seats came to.</param>
    /// <param name="idle">Seats that had nothing to do in it: they go on from the outcome like those that delivered.</param>
    public void End(RoundOutcome outcome, IEnumerable<string> idle)
    {
        _outcome = outcome;
        _idle.UnionWith(idle);
    }

    /// <summary>A seat delivered after the end: it begins again from the manifest.</summary>
    /// <param name="seat">The seat's grain key.</param>
    public void Missed(string seat) => _idle.Remove(seat);

    /// <summary>The outcome as one seat sees it; null while the round is not over.</summary>
    /// <param name="seat">The seat's grain key.</param>
    public RoundOutcome? OutcomeFor(string seat) => _outcome is null ? null : _outcome with { Taken = _deliveries.ContainsKey(seat) || _idle.Contains(seat) };
}
