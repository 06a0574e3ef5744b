namespace Shoal.Grains.Compute;

/// <summary>Says whether arrivals or training come next, so that training keeps its share of the time while both wait.</summary>
/// <param name="share">Training's share, 0 to below 1; with 0 arrivals always come first.</param>
/// <param name="frequency">Ticks a second.</param>
internal sealed class TurnTaking(double share, long frequency)
{
    // What training is owed while arrivals run: so much a tick of theirs.
    private readonly double _rate = share / (1 - share);

    // Arrivals that come in bursts are assigned at once: what training had beyond its share is remembered, but not for ever.
    private readonly double _mostInHand = frequency;

    private double _owed;

    /// <summary>Whether training comes before arrivals.</summary>
    public bool TrainingIsFirst => _owed > 0;

    /// <summary>Accounts for work.</summary>
    /// <param name="priority">What it was.</param>
    /// <param name="ticks">How long it took.</param>
    /// <param name="trainingWaits">Whether training waits; if not, it is owed nothing.</param>
    public void Ran(ComputePriority priority, long ticks, bool trainingWaits)
    {
        if (priority == ComputePriority.Training)
        {
            _owed = Math.Max(_owed - ticks, -_mostInHand);
        }
        else if (priority == ComputePriority.Arrivals && trainingWaits)
        {
            _owed += ticks * _rate;
        }
    }
}
