namespace Shoal.Learning;

/// <summary>Remembers which published cluster each rehearsed sample was in, so that a candidate's clusters can be told from new ones.</summary>
internal sealed class Lineage
{
    // Both by the sample's key: its published cluster, and its slot in the last candidate.
    private Dictionary<long, long> _published = [];
    private Dictionary<long, int> _candidate = [];
    private long[] _clusters = [];

    /// <summary>The published cluster of a sample; 0 where it is not known.</summary>
    /// <param name="key">The sample's packed key.</param>
    public long ClusterOf(long key) => _published.GetValueOrDefault(key);

    /// <summary>What becomes of the published clusters under a candidate, which is remembered.</summary>
    /// <param name="keys">The packed keys of the rehearsed samples, [n].</param>
    /// <param name="slots">The candidate's slot of each, [n].</param>
    /// <param name="used">Whether a slot has a prototype, [K].</param>
    public Descent Trace(ReadOnlySpan<long> keys, int[] slots, bool[] used)
    {
        var before = new long[keys.Length];
        _candidate = new Dictionary<long, int>(keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            before[i] = ClusterOf(keys[i]);
            _candidate[keys[i]] = slots[i];
        }

        return Descent.Of(before, slots, used, _clusters);
    }

    /// <summary>The last candidate was published.</summary>
    /// <param name="clusters">The cluster id of each of its slots, [K].</param>
    public void Publish(IReadOnlyList<long> clusters)
    {
        _clusters = [.. clusters];
        _published = _candidate.Where(sample => sample.Value < _clusters.Length).ToDictionary(sample => sample.Key, sample => _clusters[sample.Value]);
    }

    /// <summary>Forgets samples.</summary>
    /// <param name="keys">Packed keys.</param>
    public void Forget(IReadOnlySet<long> keys)
    {
        foreach (var key in keys)
        {
            _published.Remove(key);
            _candidate.Remove(key);
        }
    }

    /// <summary>Everything, to go on from.</summary>
    public IReadOnlyList<NamedTensor> Save() =>
    [
        NamedTensor.Of<long>("lineage.clusters", _clusters),
        NamedTensor.Of<long>("lineage.published.keys", [.. _published.Keys]),
        NamedTensor.Of<long>("lineage.published.clusters", [.. _published.Values]),
        NamedTensor.Of<long>("lineage.candidate.keys", [.. _candidate.Keys]),
        NamedTensor.Of<int>("lineage.candidate.slots", [.. _candidate.Values]),
    ];

    /// <summary>Reads back what <see cref="Save"/> gave.</summary>
    /// <param name="saved">Holds at least those tensors.</param>
    public void Load(IReadOnlyList<NamedTensor> saved)
    {
        _clusters = saved.Named("lineage.clusters").Values<long>();
        _published = ByKey(saved.Named("lineage.published.keys").Values<long>(), saved.Named("lineage.published.clusters").Values<long>());
        _candidate = ByKey(saved.Named("lineage.candidate.keys").Values<long>(), saved.Named("lineage.candidate.slots").Values<int>());

        static Dictionary<long, T> ByKey<T>(long[] keys, T[] values) => keys.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second);
    }
}
