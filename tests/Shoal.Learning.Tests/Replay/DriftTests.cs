using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class DriftTests
{
    [Fact]
    public void Sets_of_one_distribution_are_not_apart_and_others_are()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        for (var i = 0; i < 20; i++)
        {
            Assert.InRange(TwoSampleTest.Separation(Directions(128, 0), Directions(128, 0)), -0.15, 0.15);
        }

        Assert.InRange(TwoSampleTest.Separation(Directions(128, 0), Directions(128, 3)), 0.95, 1);

        // Half of the second set is like the first.
        Assert.InRange(TwoSampleTest.Separation(Directions(128, 0), cat([Directions(64, 0), Directions(64, 3)])), 0.3, 0.7);
    }

    [Fact]
    public void The_separation_of_a_hand_computed_case_comes_out()
    {
        using var scope = NewDisposeScope();

        // Two bundles of six directions: each one's five nearest are its own, whatever set they are counted to.
        var bundles = nn.functional.normalize(cat([eye(2).select(0, 0).repeat(6, 1), eye(2).select(0, 1).repeat(6, 1)]) + (0.01 * rand(12, 2)), 2, dim: 1);
        Assert.Equal(1, TwoSampleTest.Separation(bundles.narrow(0, 0, 6), bundles.narrow(0, 6, 6)), 6);

        // Every bundle half and half: of a sample's five, two are of its own set. Expected by chance: 2 * 6 * 5 / (12 * 11).
        var mixed = bundles.index_select(0, tensor(new long[] { 0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11 }));
        Assert.Equal((0.4 - (60.0 / 132)) / (1 - (60.0 / 132)), TwoSampleTest.Separation(mixed.narrow(0, 0, 6), mixed.narrow(0, 6, 6)), 5);
    }

    [Fact]
    public void A_stream_that_changes_begins_a_segment_and_one_that_does_not_never_does()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Assert.Empty(Segments(learner, first: 0));
        Assert.Equal(1, learner.SegmentCount);
        var begun = Assert.Single(Segments(learner, first: 2));
        Assert.Equal(2, learner.SegmentCount);
        Assert.InRange(begun, 1, 2 * 512 / 16);
        using var deaf = new Learner(Making.Grey, Making.Small() with { Segments = 1 });
        Segments(deaf, first: 0);
        Assert.Empty(Segments(deaf, first: 2));
    }

    [Fact]
    public void The_most_alike_of_several_sets_are_found_whatever_their_sizes()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Assert.Equal((1, 3), TwoSampleTest.MostAlike([Directions(128, 0), Directions(40, 3), Directions(128, 5), Directions(128, 3)]));
        Assert.Equal((0, 2), TwoSampleTest.MostAlike([Directions(128, 0), Directions(128, 3), Directions(10, 0)]));
    }

    [Fact]
    public void Segments_are_joined_before_a_share_is_too_small_to_compare_with()
    {
        // 256 samples: room for two shares of 128, whatever the options allow.
        using var learner = new Learner(Making.Grey, Making.Small());
        Segments(learner, first: 0);
        foreach (var first in new[] { 2, 0, 2 })
        {
            Assert.Single(Segments(learner, first));
            Assert.Equal(2, learner.SegmentCount);
        }
    }

    // The steps, of 80, that began a segment, over bars of two of four places.
    private static List<int> Segments(Learner learner, int first)
    {
        var begun = new List<int>();
        for (var step = 0; step < 80; step++)
        {
            // Places of four kinds: those whose number is first or first + 1.
            var all = Making.Bars(32, learner.SamplesSeen * 4);
            var rows = Enumerable.Range(0, 32).Where(i => (i % 4) - first is 0 or 1).ToArray();
            var pixels = rows.SelectMany(i => all[i].ToArray()).ToArray();
            var report = learner.Observe(new SampleBatch(all.Shape, pixels, [.. rows.Select(i => all.Keys[i])]));
            if (report.Drift is not null)
            {
                begun.Add(step);
            }
        }

        return begun;
    }

    // Directions around one of eight axes.
    private static Tensor Directions(long count, int axis)
        => nn.functional.normalize((2 * eye(8).select(0, axis)) + (0.5 * randn(count, 8)), 2, dim: 1);
}
