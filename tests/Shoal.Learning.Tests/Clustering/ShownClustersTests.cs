using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ShownClustersTests
{
    private const int PerCluster = 40;

    // Two groups of samples, about the first and about the second axis of three.
    private static readonly long[] Keys = [.. Enumerable.Range(0, 2 * PerCluster).Select(i => 1_000L + i)];

    private static readonly Half[] Embeddings = [.. Keys.SelectMany((_, i) => Near(axis: i / PerCluster, by: 0.1 + (0.002 * (i % PerCluster))))];

    [Fact]
    public void A_pinned_cluster_that_the_clusterer_would_unite_with_another_is_shown_on()
    {
        using var clusterer = new GivenClusters();
        var shown = Published(clusterer);

        // One prototype between both: without the pin, cluster 8 is united with 7.
        clusterer.Rows = [0.8f, 0.6f, 0, 0, 0, 0];
        shown.Settle(Keys, Embeddings, [], pinned: []);
        Assert.Equal([7, 8], shown.Descent.Inherited.Append(shown.Descent.Heirs.Keys.Single()));

        shown.Settle(Keys, Embeddings, [], pinned: [8, 99]);
        Assert.Empty(shown.Descent.Heirs);
        Assert.Equal([7, -1, 8], shown.Descent.Inherited);
        var prototypes = Prototypes.Read(shown.Export());
        Assert.Equal([0, 2], [prototypes.Assign(Near(axis: 0, by: 0.1)).Slot, prototypes.Assign(Near(axis: 1, by: 0.1)).Slot]);

        // And over a restart, and for good.
        var restored = new ShownClusters(clusterer, 3);
        restored.Load(shown.Save());
        Assert.Equal(2, Prototypes.Read(restored.Export()).Assign(Near(axis: 1, by: 0.1)).Slot);
        restored.Publish([7, 0, 8]);
        restored.Settle(Keys, Embeddings, [], pinned: [8]);
        Assert.Equal([7, -1, 8], restored.Descent.Inherited);
    }

    [Fact]
    public void Held_out_samples_say_how_far_clusters_reach()
    {
        using var clusterer = new GivenClusters();
        var shown = new ShownClusters(clusterer, 3);
        shown.Settle(Keys, Embeddings, Embeddings, pinned: []);
        var prototypes = Prototypes.Read(shown.Export());
        Assert.All(Enumerable.Range(0, Keys.Length), i => Assert.False(prototypes.Assign(Embeddings.AsSpan(i * 3, 3)).IsOutlier));
        Assert.True(prototypes.Assign([(Half)0, (Half)0, (Half)1]).IsOutlier);

        // Too few say nothing: everything fits.
        shown.Settle(Keys, Embeddings, Embeddings[..30], pinned: []);
        Assert.False(Prototypes.Read(shown.Export()).Assign([(Half)0, (Half)0, (Half)1]).IsOutlier);
    }

    private static ShownClusters Published(GivenClusters clusterer)
    {
        var shown = new ShownClusters(clusterer, 3);
        shown.Settle(Keys, Embeddings, [], pinned: []);
        Assert.Equal([0, 0], shown.Descent.Inherited);
        shown.Publish([7, 8]);
        shown.Settle(Keys, Embeddings, [], pinned: []);
        Assert.Equal([7, 8], shown.Descent.Inherited);
        return shown;
    }

    private static Half[] Near(int axis, double by)
    {
        var row = new[] { by, by, by / 2 };
        row[axis] = 1;
        var norm = Math.Sqrt(row.Sum(x => x * x));
        return [.. row.Select(x => (Half)(x / norm))];
    }

    // Two prototypes, as they are given.
    private sealed class GivenClusters : IClusterer
    {
        public float[] Rows { get; set; } = [1, 0, 0, 0, 1, 0];

        public IReadOnlyList<NamedTensor> Export() =>
        [
            NamedTensor.Of<float>("prototypes", Rows, 2, 3), NamedTensor.Of<long>("prototypes.clusters", [0, 1]), NamedTensor.Of<float>("scale", [10]),
        ];

        public void Mined(Tensor embeddings, Tensor neighbours, long step, Action? between) => throw new NotSupportedException();

        public RefitReport Refit(Tensor embeddings, Tensor neighbours, Tensor heldOut, long step, Action? between) => throw new NotSupportedException();

        public IReadOnlyList<NamedTensor> Save() => [];

        public void Load(IReadOnlyList<NamedTensor> saved)
        {
        }

        public void Dispose()
        {
        }
    }
}
