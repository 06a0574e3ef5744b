namespace Shoal.Learning;

/// <summary>The samples that came last, and how many have come since somebody looked.</summary>
internal sealed class RecentSamples
{
    private readonly SampleShape _shape;
    private readonly byte[] _pixels;
    private readonly long[] _keys;
    private long _added;

    public RecentSamples(SampleShape shape, int capacity) =>
        (_shape, _pixels, _keys) = (shape, new byte[capacity * shape.Size], new long[capacity]);

    /// <summary>Samples added since <see cref="Look"/>.</summary>
    public long Unseen { get; private set; }

    /// <summary>Samples kept.</summary>
    public int Count => (int)Math.Min(_added, _keys.Length);

    /// <summary>uint8, [Count, C, H, W], in no order.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels.AsSpan(0, Count * _shape.Size);

    /// <summary>Packed sample keys, [Count].</summary>
    public ReadOnlySpan<long> Keys => _keys.AsSpan(0, Count);

    public void Add(ReadOnlySpan<byte> pixels, long key)
    {
        var slot = (int)(_added++ % _keys.Length);
        pixels.CopyTo(_pixels.AsSpan(slot * _shape.Size));
        _keys[slot] = key;
        Unseen++;
    }

    public void Look() => Unseen = 0;

    public void Forget(IReadOnlySet<long> keys)
    {
        int[] kept = [.. Enumerable.Range(0, Count).Where(slot => !keys.Contains(_keys[slot]))];
        if (kept.Length == Count)
        {
            return;
        }

        foreach (var (place, slot) in kept.Index())
        {
            _pixels.AsSpan(slot * _shape.Size, _shape.Size).CopyTo(_pixels.AsSpan(place * _shape.Size));
            _keys[place] = _keys[slot];
        }

        _pixels.AsSpan(kept.Length * _shape.Size).Clear();
        _added = kept.Length;
    }

    public IReadOnlyList<NamedTensor> Save(string prefix) =>
    [
        NamedTensor.Of(prefix + "pixels", Pixels, Count, _shape.Channels, _shape.Height, _shape.Width),
        NamedTensor.Of(prefix + "keys", Keys),
        NamedTensor.Of<long>(prefix + "counts", [_added, Unseen]),
    ];

    public void Load(string prefix, IReadOnlyList<NamedTensor> saved)
    {
        saved.Named(prefix + "pixels").Values<byte>().CopyTo(_pixels, 0);
        saved.Named(prefix + "keys").Values<long>().CopyTo(_keys, 0);
        (_added, Unseen) = (saved.Named(prefix + "counts").Values<long>()[0], saved.Named(prefix + "counts").Values<long>()[1]);
    }
}
