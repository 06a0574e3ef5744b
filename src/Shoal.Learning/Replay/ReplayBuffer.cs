namespace Shoal.Learning;

/// <summary>Decides which past samples a replica rehearses: an equal share of each segment of the stream, and of each a uniform sample; decoded.</summary>
/// <remarks>
/// Reservoir sampling, Vitter 1985, algorithm R, inside each segment: a stream that never drifts has one segment, and the
/// buffer is a uniform sample of all that was ever offered. What is new reaches its share after as many samples as the share
/// holds. Where redundancy is known, what is most redundant in a segment gives way instead, and everything new is kept. Also
/// remembers each sample's mined neighbours.
/// </remarks>
public sealed class ReplayBuffer
{
    private readonly int _neighbourCount;
    private readonly long[] _keys;
    private readonly bool[] _mined;
    private readonly int[] _labels;
    private readonly int[] _shown;
    private readonly int[] _settled;
    private readonly List<Segment> _segments = [new()];
    private readonly MinimumRedundancy? _redundancy;
    private byte[] _pixels = [];
    private int[] _neighbours = [];

    /// <summary>Empty.</summary>
    /// <param name="shape">The shape of every sample.</param>
    /// <param name="capacity">Most samples kept.</param>
    /// <param name="neighbourCount">Neighbours remembered for each.</param>
    public ReplayBuffer(SampleShape shape, int capacity, int neighbourCount)
        : this(shape, capacity, neighbourCount, null)
    {
    }

    /// <summary>Empty; what is most redundant gives way.</summary>
    /// <param name="shape">The shape of every sample.</param>
    /// <param name="capacity">Most samples kept.</param>
    /// <param name="neighbourCount">Neighbours remembered for each.</param>
    /// <param name="redundancy">Of the same capacity; null for a uniform sample.</param>
    internal ReplayBuffer(SampleShape shape, int capacity, int neighbourCount, MinimumRedundancy? redundancy)
    {
        ArgumentNullException.ThrowIfNull(shape);
        (Shape, _neighbourCount, Capacity) = (shape, neighbourCount, capacity);
        _redundancy = redundancy;
        (_keys, _mined, _labels, _shown, _settled) = (new long[capacity], new bool[capacity], new int[capacity], new int[capacity], new int[capacity]);
        Array.Fill(_labels, -1);
        Array.Fill(_shown, -1);
    }

    /// <summary>The shape of every sample.</summary>
    public SampleShape Shape { get; }

    /// <summary>Most samples kept.</summary>
    public int Capacity { get; }

    /// <summary>Whether redundancy decides, so that samples are offered with their embeddings.</summary>
    public bool NeedsEmbeddings => _redundancy is not null;

    /// <summary>Samples kept.</summary>
    public int Count { get; private set; }

    /// <summary>Samples ever offered.</summary>
    public long Offered { get; private set; }

    /// <summary>Segments of the stream that are told apart; the last is the current one.</summary>
    public int SegmentCount => _segments.Count;

    /// <summary>Packed sample keys, [Count].</summary>
    public ReadOnlySpan<long> Keys => _keys.AsSpan(0, Count);

    /// <summary>uint8, [Count, C, H, W].</summary>
    public ReadOnlySpan<byte> Pixels => _pixels.AsSpan(0, Count * Shape.Size);

    /// <summary>The slots of a segment's samples, in no order.</summary>
    /// <param name="segment">0 to <see cref="SegmentCount"/> - 1, oldest first.</param>
    public IReadOnlyList<int> Slots(int segment) => _segments[segment].Slots;

    /// <summary>What comes from now on is another segment.</summary>
    public void BeginSegment() => _segments.Add(new());

    /// <summary>Counts two segments as one from now on; together they are held to one share.</summary>
    /// <param name="first">0 to <see cref="SegmentCount"/> - 1.</param>
    /// <param name="second">A later one; the joined segment takes its place.</param>
    public void Join(int first, int second)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(first, second);
        var (older, newer) = (_segments[first], _segments[second]);
        newer.Slots.AddRange(older.Slots);
        newer.Offered += older.Offered;
        _segments.RemoveAt(first);
    }

    /// <summary>Offers a sample of the current segment; it is kept with the chance that keeps the segment uniform.</summary>
    /// <param name="pixels">uint8, [C, H, W].</param>
    /// <param name="key">Its packed key.</param>
    /// <param name="random">Where the decision comes from.</param>
    /// <param name="embedding">[D], L2-normalised; needed where redundancy decides.</param>
    public void Offer(ReadOnlySpan<byte> pixels, long key, Random random, ReadOnlySpan<float> embedding = default)
    {
        ArgumentNullException.ThrowIfNull(random);
        Offered++;
        if (Place(random) is not { } slot)
        {
            return;
        }

        if (_pixels.Length < Count * Shape.Size)
        {
            // Grown by doubling: a new dataset with few samples stays small.
            Array.Resize(ref _pixels, Math.Min(Capacity, Math.Max(256, Count * 2)) * Shape.Size);
        }

        pixels.CopyTo(_pixels.AsSpan(slot * Shape.Size));
        _keys[slot] = key;
        _mined[slot] = false;
        _labels[slot] = -1;
        _shown[slot] = -1;
        _settled[slot] = 0;
        _redundancy?.Place(slot, embedding);
    }

    /// <summary>One sample's pixels.</summary>
    /// <param name="slot">0 to <see cref="Count"/> - 1.</param>
    /// <returns>uint8, [C, H, W].</returns>
    public ReadOnlySpan<byte> this[int slot] => _pixels.AsSpan(slot * Shape.Size, Shape.Size);

    /// <summary>Remembers neighbours, for all samples that are kept now.</summary>
    /// <param name="neighbours">Slots, [Count, neighbourCount], nearest first.</param>
    /// <param name="embeddings">[Count, D], L2-normalised; looked at where <see cref="NeedsEmbeddings"/>.</param>
    public void Remember(int[] neighbours, ReadOnlySpan<float> embeddings = default)
    {
        ArgumentNullException.ThrowIfNull(neighbours);
        if (neighbours.Length != Count * _neighbourCount)
        {
            throw new ArgumentException($"{neighbours.Length} neighbours for {Count} samples of {_neighbourCount} each.", nameof(neighbours));
        }

        _neighbours = neighbours;
        _mined.AsSpan(0, Count).Fill(true);
        _redundancy?.Refresh(embeddings, [.. Enumerable.Range(0, Count).Select(slot => neighbours[slot * _neighbourCount])]);
    }

    /// <summary>Remembers the cluster of each sample that is kept now.</summary>
    /// <param name="labels">Cluster slots, [Count].</param>
    public void Label(int[] labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        Keep(labels, _labels);
    }

    /// <summary>The cluster slot of a sample when <see cref="Label"/> was last called; -1 when it came since.</summary>
    /// <param name="slot">0 to <see cref="Count"/> - 1.</param>
    public int LabelOf(int slot) => _labels[slot];

    /// <summary>Remembers the cluster that each sample that is kept now is shown in; it may be another than that by which it trains.</summary>
    /// <param name="clusters">Cluster slots, [Count].</param>
    public void Show(int[] clusters)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        int[] settled = [.. clusters.Zip(_shown, _settled).Select(sample => sample.First == sample.Second ? sample.Third + 1 : 0)];
        Keep(clusters, _shown);
        settled.CopyTo(_settled, 0);
    }

    /// <summary>How many times in a row <see cref="Show"/> has said the same of a sample, after the first.</summary>
    /// <param name="slot">0 to <see cref="Count"/> - 1.</param>
    public int SettledFor(int slot) => _settled[slot];

    /// <summary>The cluster slot that a sample was shown in when <see cref="Show"/> was last called; -1 when it came since.</summary>
    /// <param name="slot">0 to <see cref="Count"/> - 1.</param>
    public int ShownOf(int slot) => _shown[slot];

    /// <summary>Remembers the clusters of samples by their keys; those that are not named have none.</summary>
    /// <param name="clusters">For each packed key the cluster slot that it trains by, and the one that it is shown in.</param>
    public void Assign(IReadOnlyDictionary<long, (int Label, int Shown)> clusters)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        for (var slot = 0; slot < Count; slot++)
        {
            var before = _shown[slot];
            (_labels[slot], _shown[slot]) = clusters.TryGetValue(_keys[slot], out var known) ? known : (-1, -1);
            _settled[slot] = _shown[slot] == before ? _settled[slot] : 0;
        }
    }

    /// <summary>Draws samples to rehearse, in pairs of a sample and one of its neighbours where those are known.</summary>
    /// <param name="count">How many samples.</param>
    /// <param name="random">Where the draw comes from.</param>
    /// <returns>Slots, and whether slot 2i+1 is a mined neighbour of slot 2i.</returns>
    public (int[] Slots, bool[] Paired) Draw(int count, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var slots = new int[Count == 0 ? 0 : count];
        var paired = new bool[slots.Length / 2];
        for (var i = 0; i < slots.Length; i += 2)
        {
            var anchor = random.Next(Count);
            slots[i] = anchor;
            if (i + 1 == slots.Length)
            {
                break;
            }

            // A neighbour whose slot was taken over since is no neighbour any more.
            var neighbour = _mined[anchor] ? _neighbours[(anchor * _neighbourCount) + random.Next(_neighbourCount)] : -1;
            paired[i / 2] = neighbour >= 0 && _mined[neighbour];
            slots[i + 1] = paired[i / 2] ? neighbour : random.Next(Count);
        }

        return (slots, paired);
    }

    /// <summary>Forgets samples; neighbours are known again after the next mining.</summary>
    /// <param name="keys">Packed keys; others than those kept are passed over.</param>
    /// <returns>How many were forgotten.</returns>
    public int Forget(IReadOnlySet<long> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        int[] kept = [.. Enumerable.Range(0, Count).Where(slot => !keys.Contains(_keys[slot]))];
        var forgotten = Count - kept.Length;
        if (forgotten == 0)
        {
            return 0;
        }

        var places = new Dictionary<int, int>(kept.Length);
        foreach (var (place, slot) in kept.Index())
        {
            // Slots only move down: nothing is overwritten before it was read.
            places[slot] = place;
            _pixels.AsSpan(slot * Shape.Size, Shape.Size).CopyTo(_pixels.AsSpan(place * Shape.Size));
            (_keys[place], _labels[place], _shown[place], _settled[place]) = (_keys[slot], _labels[slot], _shown[slot], _settled[slot]);
        }

        _pixels.AsSpan(kept.Length * Shape.Size, forgotten * Shape.Size).Clear();
        _labels.AsSpan(kept.Length).Fill(-1);
        _shown.AsSpan(kept.Length).Fill(-1);
        Array.Clear(_mined);
        _neighbours = [];
        foreach (Segment segment in _segments)
        {
            int[] stay = [.. segment.Slots.Where(places.ContainsKey).Select(slot => places[slot])];
            segment.Slots.Clear();
            segment.Slots.AddRange(stay);
        }

        Count = kept.Length;
        _redundancy?.Keep(kept);
        return forgotten;
    }

    /// <summary>Everything, to go on from.</summary>
    /// <param name="prefix">Put before every name.</param>
    public IReadOnlyList<NamedTensor> Save(string prefix) =>
    [
        NamedTensor.Of(prefix + "pixels", Pixels, Count, Shape.Channels, Shape.Height, Shape.Width),
        NamedTensor.Of(prefix + "keys", Keys),
        NamedTensor.Of<long>(prefix + "offered", [Offered]),
        NamedTensor.Of<byte>(prefix + "mined", Array.ConvertAll(_mined[..Count], mined => (byte)(mined ? 1 : 0))),
        NamedTensor.Of<int>(prefix + "neighbours", _neighbours),
        NamedTensor.Of<int>(prefix + "labels", _labels.AsSpan(0, Count)),
        NamedTensor.Of<int>(prefix + "shown", _shown.AsSpan(0, Count)),
        NamedTensor.Of<int>(prefix + "settled", _settled.AsSpan(0, Count)),
        NamedTensor.Of<long>(prefix + "segments.offered", [.. _segments.Select(s => s.Offered)]),
        NamedTensor.Of<int>(prefix + "segments.count", [.. _segments.Select(s => s.Slots.Count)]),
        NamedTensor.Of<int>(prefix + "segments.slots", [.. _segments.SelectMany(s => s.Slots)]),
        .. _redundancy?.Save(prefix) ?? [],
    ];

    /// <summary>Reads back what <see cref="Save"/> gave.</summary>
    /// <param name="prefix">As it was saved with.</param>
    /// <param name="saved">Of a buffer of the same shape and at most this capacity.</param>
    /// <exception cref="InvalidDataException">It holds more than fits, or other shapes.</exception>
    public void Load(string prefix, IReadOnlyList<NamedTensor> saved)
    {
        var keys = saved.Named(prefix + "keys").Values<long>();
        var pixels = saved.Named(prefix + "pixels").Values<byte>();
        var neighbours = saved.Named(prefix + "neighbours").Values<int>();
        if (keys.Length > Capacity || pixels.Length != keys.Length * Shape.Size)
        {
            throw new InvalidDataException($"A replay of {keys.Length} samples and {pixels.Length} bytes does not fit {Capacity} samples of {Shape}.");
        }

        (_pixels, _neighbours, Count) = (pixels, neighbours, keys.Length);
        Offered = saved.Named(prefix + "offered").Values<long>()[0];
        keys.CopyTo(_keys, 0);
        saved.Named(prefix + "labels").Values<int>().CopyTo(_labels, 0);
        saved.Named(prefix + "shown").Values<int>().CopyTo(_shown, 0);

        // Earlier versions did not keep it.
        saved.FirstOrDefault(tensor => string.Equals(tensor.Name, prefix + "settled", StringComparison.Ordinal))?.Values<int>().CopyTo(_settled, 0);
        var mined = saved.Named(prefix + "mined").Values<byte>();
        for (var i = 0; i < Count; i++)
        {
            _mined[i] = mined[i] != 0;
        }

        _segments.Clear();
        var slots = saved.Named(prefix + "segments.slots").Values<int>();
        var read = 0;
        foreach (var (offered, count) in saved.Named(prefix + "segments.offered").Values<long>().Zip(saved.Named(prefix + "segments.count").Values<int>()))
        {
            _segments.Add(new Segment { Offered = offered, Slots = [.. slots.AsSpan(read, count)] });
            read += count;
        }

        _redundancy?.Load(prefix, saved);
    }

    private void Keep(int[] clusters, int[] target)
    {
        if (clusters.Length != Count)
        {
            throw new ArgumentException($"{clusters.Length} clusters for {Count} samples.", nameof(clusters));
        }

        clusters.CopyTo(target, 0);
    }

    // The slot that a sample of the current segment takes; null when it is not kept.
    private int? Place(Random random)
    {
        var current = _segments[^1];
        current.Offered++;
        if (Count < Capacity)
        {
            current.Slots.Add(Count);
            return Count++;
        }

        var share = Capacity / _segments.Count;
        if (current.Slots.Count >= share)
        {
            return _redundancy is null ? Drawn(current, random) : current.Slots[_redundancy.Most(current.Slots)];
        }

        // Until a segment has its share, an earlier one gives way.
        if (_redundancy is null && random.NextInt64(current.Offered) >= share)
        {
            return null;
        }

        var largest = _segments.MaxBy(s => s.Slots.Count)!;
        var victim = _redundancy?.Most(largest.Slots) ?? random.Next(largest.Slots.Count);
        var slot = largest.Slots[victim];
        largest.Slots[victim] = largest.Slots[^1];
        largest.Slots.RemoveAt(largest.Slots.Count - 1);
        current.Slots.Add(slot);
        return slot;
    }

    // Algorithm R.
    private static int? Drawn(Segment current, Random random)
        => random.NextInt64(current.Offered) is var place && place < current.Slots.Count ? current.Slots[(int)place] : null;

    private sealed class Segment
    {
        public long Offered { get; set; }

        public List<int> Slots { get; init; } = [];
    }
}
