namespace Shoal.Storage;

/// <summary>Maps 64 bits of an id's hash to a sequence number: open addressing, 12 bytes a slot, at most 3/4 full.</summary>
/// <remarks>16 to 32 bytes an item; while it grows, half as much again for a moment.</remarks>
internal sealed class IdTable
{
    private const int Smallest = 16;

    private ulong[] _keys = new ulong[Smallest];

    // Sequence number + 1, so that 0 is an empty slot.
    private int[] _values = new int[Smallest];
    private int _used;

    internal void Clear()
    {
        _keys = new ulong[Smallest];
        _values = new int[Smallest];
        _used = 0;
    }

    /// <summary>The slot of the first candidate for a key; -1 when there is none.</summary>
    internal int First(ulong key) => Probe(key, (int)(key & (ulong)(_keys.Length - 1)));

    /// <summary>The slot of the next candidate with the same key; -1 when there is none.</summary>
    internal int Next(ulong key, int slot) => Probe(key, (slot + 1) & (_keys.Length - 1));

    internal int Sequence(int slot) => _values[slot] - 1;

    internal void Replace(int slot, int sequence) => _values[slot] = sequence + 1;

    internal void Insert(ulong key, int sequence)
    {
        if ((_used + 1) * 4L > _keys.Length * 3L)
        {
            Grow();
        }

        Place(key, sequence + 1);
        _used++;
    }

    private int Probe(ulong key, int slot)
    {
        while (_values[slot] != 0)
        {
            if (_keys[slot] == key)
            {
                return slot;
            }

            slot = (slot + 1) & (_keys.Length - 1);
        }

        return -1;
    }

    private void Place(ulong key, int value)
    {
        int slot = (int)(key & (ulong)(_keys.Length - 1));
        while (_values[slot] != 0)
        {
            slot = (slot + 1) & (_keys.Length - 1);
        }

        _keys[slot] = key;
        _values[slot] = value;
    }

    private void Grow()
    {
        (ulong[] keys, int[] values) = (_keys, _values);
        _keys = new ulong[keys.Length * 2];
        _values = new int[keys.Length * 2];
        for (int i = 0; i < keys.Length; i++)
        {
            if (values[i] != 0)
            {
                Place(keys[i], values[i]);
            }
        }
    }
}
