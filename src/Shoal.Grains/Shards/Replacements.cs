namespace Shoal.Grains.Shards;

/// <summary>Remembers which item took whose id, so that a listing under way meets an item once although it was replaced.</summary>
/// <param name="kept">How many of the newest are kept: 131,072 are 6 MB.</param>
internal sealed class Replacements(int kept = 131_072)
{
    private readonly Dictionary<long, long> _by = [];
    private readonly Queue<long> _order = [];

    /// <summary>Notes a replacement.</summary>
    /// <param name="sequence">The item that is gone.</param>
    /// <param name="by">The item that has its id now.</param>
    public void Add(long sequence, long by)
    {
        _by[sequence] = by;
        _order.Enqueue(sequence);
        while (_order.Count > kept)
        {
            _by.Remove(_order.Dequeue());
        }
    }

    /// <summary>The item that has the id now; null when the id had been given on before, or nothing is known.</summary>
    /// <param name="sequence">An item that is gone.</param>
    /// <param name="end">What counts as before: the item that took the id is below this.</param>
    public long? Heir(long sequence, long end)
    {
        if (!_by.TryGetValue(sequence, out var heir) || heir < end)
        {
            return null;
        }

        while (_by.TryGetValue(heir, out var next))
        {
            heir = next;
        }

        return heir;
    }
}
