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
        using var learner = new Learner(Making.Grey, Making.Small() with { Clusters = 0 });
        for (var step = 0; step < 60; step++)
        {
            learner.Observe(Kinds(0, step));
        }

        Assert.Equal(2, learner.Refit().Clusters);
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
        var prototypes = Read([0, 0, -1, 0], [0, 1]);
        Assert.Equal(new Placement(1, 1, Distance: 0, IsOutlier: false), prototypes.Assign([(Half)1, (Half)0]));
        Assert.Equal(2, prototypes.Count);
        Assert.Equal(1, Read([1, 0, 0, 0], [0, 1]).Count);
        Assert.Equal([false, true], [prototypes.HasCluster(0), prototypes.HasCluster(1)]);
    }

    [Fact]
    public void A_cluster_of_several_prototypes_has_their_probabilities_together()
    {
        // Cosines 1, 0, 0.6 under a scale of 5: the second and third are one cluster.
        var placed = Read([1, 0, 0, 1, 0.6f, 0.8f], [1, 0, 0]).Assign([(Half)1, (Half)0]);
        Assert.Equal(1, placed.Slot);
        Assert.Equal(Math.Exp(5) / (Math.Exp(5) + 1 + Math.Exp(3)), placed.Confidence, 3);
    }

    [Fact]
    public void The_largest_scale_does_not_overflow()
    {
        Assert.Equal(new Placement(1, 1, Distance: 0, IsOutlier: false), Read([0, 1, 1, 0], [0, 1], scale: 100).Assign([(Half)1, (Half)0]));
    }

    [Fact]
    public void What_is_farther_than_clusters_reach_is_an_outlier()
    {
        // 60 degrees from the nearer of two landmarks: a distance of 0.5.
        var embedding = new[] { (Half)0.5f, (Half)Math.Sqrt(0.75) };
        Assert.False(Read([1, 0], [0], reach: 0.51f, landmarks: [1, 0, 0, -1]).Assign(embedding).IsOutlier);
        var far = Read([1, 0], [0], reach: 0.49f, landmarks: [1, 0, 0, -1]).Assign(embedding);
        Assert.True(far.IsOutlier);
        Assert.Equal(0.5, far.Distance, 3);
    }

    [Fact]
    public void Pieces_of_one_blob_are_united_and_blobs_are_not()
    {
        var (graph, truth) = Blobs([300, 200, 100], spread: 0.3);
        var pieces = Communities.Find(graph, 4, 100, new Random(1));
        Assert.InRange(pieces.Distinct().Count(), 6, 40);
        var united = Communities.Unite(graph, pieces, 0.03);
        Assert.Equal(1, ClusterScores.Of(Array.ConvertAll(pieces, piece => united[piece]), truth).AdjustedRandIndex, 6);
        Assert.Equal(Enumerable.Range(0, pieces.Max() + 1), Communities.Unite(graph, pieces, 1));
    }

    [Fact]
    public void A_rare_blob_beside_a_frequent_one_is_no_piece_of_it()
    {
        var (graph, truth) = Blobs([900, 300, 40], spread: 0.42);
        var pieces = Communities.Find(graph, 4, 100, new Random(1));
        Assert.InRange(pieces.Distinct().Count(), 6, 60);
        var united = Communities.Unite(graph, pieces, 3, 20, out var weakest);
        Assert.InRange(weakest, 0.03, 1);
        Assert.InRange(ClusterScores.Of(Array.ConvertAll(pieces, piece => united[piece]), truth).BalancedAccuracy, 0.95, 1);
    }

    [Fact]
    public void Borders_are_links_to_others_for_the_size_of_each_group()
    {
        // The links of the first test: 0-1, 0-2, 1-2 weigh 1, 1-3 and 2-3 weigh 0.5. Degrees are 6 + 1 and 1.
        var graph = NeighbourGraph.Of([1, 2, 0, 2, 1, 0, 2, 1], 2);
        Assert.Equal((1 / Math.Pow(7, 0.55)) + 1, Communities.Borders(graph, [0, 0, 0, 1]), 12);
        Assert.Equal(0, Communities.Borders(graph, [0, 0, 0, 0]), 12);

        // Two of eight, counted from both ends.
        Assert.Equal(2.0 / 8, Communities.Cut(graph, [0, 0, 0, 1]), 12);
        Assert.Equal(0, Communities.Cut(graph, [0, 0, 0, 0]), 12);
    }

    [Fact]
    public void A_second_measure_of_likeness_says_where_a_fragment_belongs_that_the_first_hardly_links()
    {
        // Two blobs of 30, and 10 that are one with the first by the second measure, and have a few links to the second blob by the first.
        int[] truth = [.. Enumerable.Repeat(0, 30), .. Enumerable.Repeat(1, 30), .. Enumerable.Repeat(2, 10)];
        NeighbourGraph learned = Linked(truth, [(60, 30), (61, 31)]);
        NeighbourGraph raw = Linked([.. truth.Select(kind => kind % 2)], []);
        Assert.Equal(truth[30..].Select(kind => kind > 0), Joined(learned)[30..].Select(group => group == Joined(learned)[30]));
        int[] both = Joined(learned.With(raw, 0.1));
        Assert.Equal([.. truth.Select(kind => kind % 2)], Array.ConvertAll(both, group => group == both[0] ? 0 : 1));
        Assert.Equal(learned.Total * 1.1, learned.With(raw, 0.1).Total, 9);
        Assert.Equal(Weight(learned, 0, 1) + (0.1 * learned.Total / raw.Total * Weight(raw, 0, 1)), learned.With(raw, 0.1).Between(0, 1), 9);
        Assert.Throws<ArgumentException>(() => learned.With(Linked([0, 0, 0], []), 1));

        int[] Joined(NeighbourGraph graph)
        {
            var groups = Communities.Unite(graph, truth, 2, [.. truth.Select(_ => -1)]);
            return Array.ConvertAll(truth, kind => groups[kind]);
        }

        // Everybody's two next on a ring of their kind, in no order, and the pairs.
        static NeighbourGraph Linked(int[] kinds, (int From, int To)[] pairs) => NeighbourGraph.Of(
            [.. Enumerable.Range(0, kinds.Length).SelectMany(i =>
            {
                int[] ring = [.. Enumerable.Range(0, kinds.Length).Where(j => kinds[j] == kinds[i]).OrderBy(j => j * 37 % 71)];
                var at = Array.IndexOf(ring, i);
                var across = Array.Find(pairs, pair => pair.From == i);
                return new long[] { ring[(at + 1) % ring.Length], across == default ? ring[(at + 2) % ring.Length] : across.To };
            })],
            2);
    }

    [Fact]
    public void A_cluster_is_divided_into_its_pieces_and_small_ones_go_to_the_largest()
    {
        int[] groups = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
        int[] finer = [5, 5, 5, 7, 7, 9, 7, 7, 9, 9];
        var (pieces, owners) = Communities.Divide(groups, finer, 2, 10);
        Assert.Equal(groups, pieces.Select(piece => owners[piece]));
        Assert.Equal(4, owners.Length);
        Assert.Equal(pieces[0], pieces[5]);
        Assert.NotEqual(pieces[0], pieces[3]);
        Assert.NotEqual(pieces[3], pieces[6]);
        Assert.Equal(2, Communities.Divide(groups, finer, 2, 2).Groups.Length);
        Assert.Equal(3, Communities.Divide(groups, finer, 2, 3).Groups.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => Communities.Divide(groups, finer, 2, 1));
    }

    [Fact]
    public void A_group_too_small_to_judge_is_joined_before_others()
    {
        // Ten neighbours each: the eight of the last blob have some outside it.
        var (graph, truth) = Blobs([200, 100, 8], spread: 0.3);
        var united = Communities.Unite(graph, truth, 2, 20, out var weakest);
        Assert.Equal(1, weakest);
        Assert.Equal(2, united.Distinct().Count());
        Assert.NotEqual(united[0], united[1]);
        Assert.Equal([0, 1, 2], Communities.Unite(graph, truth, 3, 20, out _));

        // Two whole blobs share few links.
        Communities.Unite(graph, truth, 1, 20, out weakest);
        Assert.InRange(weakest, 0, 0.03);
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(200, false)]
    public void A_fragment_stays_with_what_it_was_one_cluster_with_and_a_whole_cluster_does_not(int size, bool stays)
    {
        // The middle blob of three must be joined to another. It was one cluster with the one that it would not be joined to.
        var (graph, truth) = Blobs([200, size, 200], spread: 0.6);
        int[] nothing = Array.ConvertAll(truth, _ => -1);
        var alone = Communities.Unite(graph, truth, 2, nothing);
        var other = alone[1] == alone[0] ? 2 : 0;
        var known = Communities.Unite(graph, truth, 2, Array.ConvertAll(truth, blob => blob == 1 ? other : blob));
        Assert.Equal(stays, known[1] == known[other]);
        Assert.Equal(stays, !alone.SequenceEqual(known));
    }

    [Fact]
    public void The_number_of_clusters_is_found_when_none_is_given()
    {
        using var learner = new Learner(Making.Grey, Making.Small() with { Clusters = 0 });
        for (var step = 0; step < 80; step++)
        {
            learner.Observe(Kinds(0, step, kinds: 4));
        }

        Assert.Equal(4, learner.Refit().Clusters);
        Assert.Equal(4, Slots(learner, 0).Concat(Slots(learner, 2)).SelectMany(slots => slots).Distinct().Count());

        var error = Assert.Throws<ArgumentException>(() => new Learner(
            Making.Grey, Making.Small() with { Clusters = 0, Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["scan"] = 1 } }));
        Assert.Contains("'scan' needs their number", error.Message, StringComparison.Ordinal);
    }

    private static Prototypes Read(float[] rows, long[] clusters, float scale = 5, float reach = Prototypes.Everything, float[]? landmarks = null) => Prototypes.Read(
    [
        NamedTensor.Of<float>("prototypes", rows, clusters.Length, 2), NamedTensor.Of<long>("prototypes.clusters", clusters),
        NamedTensor.Of<float>("scale", [scale]), NamedTensor.Of<float>("reach", [reach]),
        NamedTensor.Of<Half>("landmarks", Array.ConvertAll(landmarks ?? [], x => (Half)x)),
    ]);

    [Fact]
    public void Ids_follow_their_samples_over_refits_and_restarts()
    {
        var options = Making.Small() with { ReplaySize = 512, NeighbourCount = 8 };
        using var learner = new Learner(Making.Grey, options);
        for (var step = 0; step < 24; step++)
        {
            learner.Observe(Kinds(0, step, kinds: 4));
        }

        var first = learner.Refit().Descent;
        Assert.All(first.Inherited, id => Assert.True(id is 0 or -1));
        Assert.Equal(4, first.Inherited.Count(id => id == 0));
        long[] ids = [.. first.Inherited.Select((id, slot) => id == 0 ? 100L + slot : 0)];
        learner.Publish(ids);
        for (var step = 24; step < 30; step++)
        {
            learner.Observe(Kinds(0, step, kinds: 4));
        }

        Assert.Equal(ids, learner.Refit().Descent.Inherited.Select(id => Math.Max(0, id)));
        using var restored = Learner.Restore(Making.Grey, options, learner.Snapshot(), learner.Bank());
        Assert.Equal(ids, restored.Refit().Descent.Inherited.Select(id => Math.Max(0, id)));
    }

    // Samples of kinds first and first + 1 by turns: a bright square in one of four corners, with noise.
    private static SampleBatch Kinds(int first, int step, int kinds = 2)
    {
        var random = new Random((step * 31) + first);
        var pixels = new byte[16 * Making.Grey.Size];
        for (var p = 0; p < pixels.Length; p++)
        {
            var (sample, row, column) = (p / Making.Grey.Size, p % Making.Grey.Size / 12, p % 12);
            var kind = first + (sample % kinds);
            var (top, left) = (kind < 2 ? 1 : 7, kind % 2 == 0 ? 1 : 7);
            var lit = row >= top && row < top + 4 && column >= left && column < left + 4;
            pixels[p] = (byte)((lit ? 180 : 20) + random.Next(60));
        }

        return new SampleBatch(Making.Grey, pixels, [.. Enumerable.Range(0, 16).Select(i => new SampleKey(first, (step * 16) + i))]);
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
