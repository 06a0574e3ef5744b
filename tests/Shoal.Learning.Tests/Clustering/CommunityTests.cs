using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class CommunityTests
{
    [Fact]
    public void Links_weigh_what_neighbourhoods_share()
    {
        // With themselves: {0,1,2}, {1,0,2}, {2,1,0}, {3,2,1}. 0-1 share all three; 2-3 share {1,2} of {0,1,2,3}.
        var graph = NeighbourGraph.Of([1, 2, 0, 2, 1, 0, 2, 1], 2);
        Assert.Equal(1, Weight(graph, 0, 1), 12);
        Assert.Equal(0.5, Weight(graph, 2, 3), 12);
        Assert.Equal(0.5, Weight(graph, 3, 1), 12);
        Assert.Equal(0, Weight(graph, 0, 3), 12);
        Assert.Equal(graph.Total, graph.Contract([0, 0, 1, 1], 2).Total, 12);
        Assert.Equal(1 + 1 + 0.5, Weight(graph.Contract([0, 0, 1, 1], 2), 0, 1), 12);
    }

    [Fact]
    public void Blobs_of_very_different_sizes_are_found_and_numbered_densely()
    {
        var (graph, truth) = Blobs([400, 150, 60, 40]);
        var found = Communities.Find(graph, 0.5, 100, new Random(1));
        Assert.Equal(1, ClusterScores.Of(found, truth).Purity, 6);
        Assert.Equal(Enumerable.Range(0, found.Max() + 1), found.Distinct().Order());
        Assert.Equal(found, Communities.Find(graph, 0.5, 100, new Random(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void No_more_are_left_than_asked_for(int most)
    {
        var (graph, truth) = Blobs([200, 200, 200, 200]);
        var found = Communities.Find(graph, 3, most, new Random(1));
        Assert.Equal(most, found.Distinct().Count());

        // Joined are pieces of one blob before two blobs.
        Assert.Equal(most / 4.0, ClusterScores.Of(found, truth).Purity, 2);
    }

    [Fact]
    public void A_partition_that_is_found_beats_its_neighbours()
    {
        // No single node could move to a better place: what a wrong bookkeeping of degrees would break.
        var (graph, _) = Blobs([120, 80, 50], spread: 0.5);
        var found = Communities.Find(graph, 1, 100, new Random(3));
        var best = Quality(graph, found);
        var random = new Random(5);
        for (var trial = 0; trial < 300; trial++)
        {
            var moved = found.ToArray();
            moved[random.Next(moved.Length)] = random.Next(found.Max() + 1);
            Assert.True(Quality(graph, moved) <= best + 1e-9);
        }
    }

    [Fact]
    public void A_stream_of_two_kinds_has_two_clusters_and_keeps_them_when_two_more_come()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        for (var step = 0; step < 60; step++)
        {
            learner.Observe(Kinds(0, step));
        }

        learner.Refit();
        var early = Slots(learner, 0);
        Assert.All(early, slots => Assert.Single(slots));
        Assert.NotEqual(early[0], early[1]);
        for (var step = 60; step < 160; step++)
        {
            learner.Observe(Kinds(2, step));
        }

        var report = learner.Refit();
        Assert.Equal(4, report.Clusters);
        Assert.Equal(early, Slots(learner, 0));
        Assert.Equal(4, Slots(learner, 0).Concat(Slots(learner, 2)).SelectMany(slots => slots).Distinct().Count());
    }

    [Fact]
    public void Nothing_is_assigned_to_a_slot_without_a_cluster()
    {
        var prototypes = Prototypes.Read([NamedTensor.Of<float>("prototypes", [0, 0, -1, 0], 2, 2), NamedTensor.Of<float>("scale", [5f])]);
        Assert.Equal((1, 1f), prototypes.Assign([(Half)1, (Half)0]));
    }

    // Samples of kinds first and first + 1 of four.
    private static SampleBatch Kinds(int first, int step)
    {
        var both = Making.Bars(32, step * 32L);
        var rows = Enumerable.Range(0, 32).Where(i => (i % 4) - first is 0 or 1).ToArray();
        return new SampleBatch(Making.Grey, [.. rows.SelectMany(i => both[i].ToArray())], [.. rows.Select(i => both.Keys[i])]);
    }

    // The slots that samples of kind first, and of kind first + 1, are assigned to.
    private static int[][] Slots(Learner learner, int first)
    {
        using var embedder = new Embedder(learner.Export());
        var batch = Kinds(first, 9_000);
        var embeddings = new Half[batch.Count * embedder.Width];
        embedder.Embed(batch.Pixels, batch.Count, embeddings);
        return [.. new[] { 0, 1 }.Select(kind => Enumerable.Range(0, batch.Count).Where(i => i % 2 == kind)
            .Select(i => embedder.Prototypes.Assign(embeddings.AsSpan(i * embedder.Width, embedder.Width)).Slot).Distinct().ToArray())];
    }

    private static double Weight(NeighbourGraph graph, int from, int to)
        => graph.Links(from).ToArray().Where(link => link.Target == to).Sum(link => link.Weight);

    private static double Quality(NeighbourGraph graph, int[] groups)
    {
        var contracted = graph.Contract(groups, groups.Max() + 1);
        return Enumerable.Range(0, contracted.Count).Sum(group =>
            ((contracted.Degrees[group] - contracted.Links(group).ToArray().Sum(link => link.Weight)) / graph.Total) - Math.Pow(contracted.Degrees[group] / graph.Total, 2));
    }

    private static (NeighbourGraph Graph, int[] Truth) Blobs(int[] sizes, double spread = 0.15)
    {
        using var scope = NewDisposeScope();
        manual_seed(8);
        int[] truth = [.. sizes.Index().SelectMany(blob => Enumerable.Repeat(blob.Index, blob.Item))];
        var centres = nn.functional.normalize(randn(sizes.Length, 16), 2, dim: 1);
        var points = centres.index_select(0, tensor(Array.ConvertAll(truth, blob => (long)blob))) + (spread * randn(truth.Length, 16) / 2);
        var neighbours = NeighbourMiner.Mine(nn.functional.normalize(points, 2, dim: 1), 10);
        return (NeighbourGraph.Of(neighbours.data<long>().ToArray(), 10), truth);
    }
}
