using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>What a version shows of the clusterer's clusters: pinned ones that it would drop stay, and items too far from all belong to none.</summary>
internal sealed class ShownClusters(IClusterer clusterer, int width)
{
    // Held-out samples fewer than this say nothing about what is far; a first version has about 40.
    private const int LeastHeldOut = 32;

    // Where the distance to all of 5,000 samples finds 98 % of images of another kind at 1 % of false alarms, that to 512 finds 87 %
    // (MNIST without eights and nines, clothes for the other kind), and is a tenth of the work for each item.
    private const int MostLandmarks = 512;

    // The share of held-out samples whose distances say how the tail of all distances falls off.
    private const double TailShare = 0.1;

    // Of items like those learned, one in so many may lie beyond the reach.
    private const double FalseAlarms = 0.001;

    private readonly Lineage _lineage = new();
    private List<(long Cluster, float[] Row)> _kept = [];
    private Half[] _landmarks = [];
    private float _reach = Prototypes.Everything;

    /// <summary>What becomes of the published clusters if the last candidate is published.</summary>
    public Descent Descent { get; private set; } = Descent.None;

    /// <summary>Settles what the next candidate shows.</summary>
    /// <param name="keys">The packed keys of the rehearsed samples, [n].</param>
    /// <param name="embeddings">Their embeddings, [n, D].</param>
    /// <param name="heldOut">Embeddings of samples that were never trained on, [m, D].</param>
    /// <param name="pinned">Ids of clusters that must stay.</param>
    public void Settle(ReadOnlySpan<long> keys, Half[] embeddings, Half[] heldOut, IReadOnlyCollection<long> pinned)
    {
        _kept = [];
        Trace(keys, embeddings);
        foreach (var cluster in pinned.Except(Descent.Inherited).Order())
        {
            Keep(cluster, keys, embeddings);
        }

        if (_kept.Count > 0)
        {
            Trace(keys, embeddings);
        }

        _landmarks = Landmarks(keys, embeddings);
        _reach = Reach(heldOut);
    }

    /// <summary>The last candidate was published.</summary>
    /// <param name="clusters">The cluster id of each of its slots, [K].</param>
    public void Publish(IReadOnlyList<long> clusters) => _lineage.Publish(clusters);

    /// <summary>Forgets which clusters samples were in; their landmarks go with the next candidate.</summary>
    /// <param name="keys">Packed keys.</param>
    public void Forget(IReadOnlySet<long> keys) => _lineage.Forget(keys);

    /// <summary>As <see cref="IClusterer.Export"/>, with <see cref="ModelFormat.Landmarks"/>, [M, D], and <see cref="ModelFormat.Reach"/>.</summary>
    public IReadOnlyList<NamedTensor> Export()
    {
        var own = clusterer.Export();
        float[] rows = [.. own.Named(ModelFormat.Prototypes).Values<float>(), .. _kept.SelectMany(kept => kept.Row)];
        var clusters = own.Named(ModelFormat.PrototypeClusters).Values<long>();

        // Pinned clusters have slots of their own, behind those of the clusterer.
        var first = clusters.Length == 0 ? 0 : Math.Max(clusters.Max() + 1, clusters.Length);
        clusters = [.. clusters, .. _kept.Select((_, i) => first + i)];
        return
        [
            NamedTensor.Of<float>(ModelFormat.Prototypes, rows, clusters.Length, rows.Length / Math.Max(1, clusters.Length)),
            NamedTensor.Of<long>(ModelFormat.PrototypeClusters, clusters),
            own.Named(ModelFormat.Scale),
            NamedTensor.Of<Half>(ModelFormat.Landmarks, _landmarks, _landmarks.Length / width, width),
            NamedTensor.Of<float>(ModelFormat.Reach, [_reach]),
        ];
    }

    /// <summary>Everything, to go on from.</summary>
    public IReadOnlyList<NamedTensor> Save() =>
    [
        NamedTensor.Of<long>("shown.kept", [.. _kept.Select(kept => kept.Cluster)]),
        NamedTensor.Of<float>("shown.rows", [.. _kept.SelectMany(kept => kept.Row)]),
        NamedTensor.Of<Half>("shown.landmarks", _landmarks),
        NamedTensor.Of<float>("shown.reach", [_reach]),
        .. _lineage.Save(),
    ];

    /// <summary>Reads back what <see cref="Save"/> gave.</summary>
    /// <param name="saved">Holds at least those tensors.</param>
    public void Load(IReadOnlyList<NamedTensor> saved)
    {
        var rows = saved.Named("shown.rows").Values<float>();
        _kept = [.. saved.Named("shown.kept").Values<long>().Select((cluster, i) => (cluster, rows[(i * width)..((i + 1) * width)]))];
        _landmarks = saved.Named("shown.landmarks").Values<Half>();
        _reach = saved.Named("shown.reach").Values<float>()[0];
        _lineage.Load(saved);
    }

    private void Trace(ReadOnlySpan<long> keys, Half[] embeddings)
    {
        var prototypes = Prototypes.Read(Export());
        var slots = new int[keys.Length];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = prototypes.SlotOf(embeddings.AsSpan(i * width, width));
        }

        Descent = _lineage.Trace(keys, slots, [.. Enumerable.Range(0, prototypes.Count).Select(prototypes.HasCluster)]);
    }

    // The mean of the samples that are in a published cluster; a cluster without one cannot be kept.
    private void Keep(long cluster, ReadOnlySpan<long> keys, Half[] embeddings)
    {
        var (mean, row) = (new float[width], new float[width]);
        for (var i = 0; i < keys.Length; i++)
        {
            if (_lineage.ClusterOf(keys[i]) == cluster)
            {
                TensorPrimitives.ConvertToSingle(embeddings.AsSpan(i * width, width), row);
                TensorPrimitives.Add(mean, row, mean);
            }
        }

        var norm = TensorPrimitives.Norm(mean);
        if (norm > 0)
        {
            TensorPrimitives.Divide(mean, norm, mean);
            _kept.Add((cluster, mean));
        }
    }

    // Chosen by the hash of their keys: the same samples from version to version, as long as they are rehearsed.
    private Half[] Landmarks(ReadOnlySpan<long> keys, Half[] embeddings)
    {
        var hashes = new ulong[keys.Length];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = Keyed.Mix(0, keys[i], (long)Purpose.Landmarks);
        }

        return [.. Enumerable.Range(0, hashes.Length).OrderBy(i => hashes[i]).Take(MostLandmarks).SelectMany(i => embeddings[(i * width)..((i + 1) * width)])];
    }

    // Peaks over a threshold (Pickands 1975), with an exponential tail: the largest of 500 distances alone is a noisy judge.
    private float Reach(Half[] heldOut)
    {
        var count = heldOut.Length / width;
        if (count < LeastHeldOut)
        {
            return Prototypes.Everything;
        }

        var prototypes = Prototypes.Read(Export());
        float[] distances = [.. Enumerable.Range(0, count).Select(i => prototypes.Distance(heldOut.AsSpan(i * width, width))).Order()];
        var peaks = (int)Math.Ceiling(count * TailShare);
        var threshold = distances[count - peaks - 1];
        var excess = distances[^peaks..].Average() - threshold;
        var reach = threshold + (excess * Math.Log(TailShare / FalseAlarms));
        return (float)Math.Clamp(Math.Max(reach, distances[^1]), 0, Prototypes.Everything);
    }
}
