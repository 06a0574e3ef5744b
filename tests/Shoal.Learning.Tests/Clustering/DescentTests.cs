namespace Shoal.Learning.Tests;

public sealed class DescentTests
{
    private static readonly bool[] Used = [true, true, true];

    // Samples of a published cluster, and the slot that they are in now.
    private static Descent Of(long[] published, bool[] used, params (long Before, int Now, int Count)[] samples)
    {
        var all = samples.SelectMany(s => Enumerable.Repeat((s.Before, s.Now), s.Count)).ToArray();
        return Descent.Of([.. all.Select(s => s.Before)], [.. all.Select(s => s.Now)], used, published);
    }

    [Fact]
    public void Clusters_go_on_in_whatever_slots_their_samples_are()
        => Assert.Equal([12, 10, 11], Of([10, 11, 12], Used, (10, 1, 50), (11, 2, 40), (11, 1, 3), (12, 0, 30)).Inherited);

    [Fact]
    public void Of_two_that_are_united_the_larger_keeps_its_id_and_inherits_the_other()
    {
        var descent = Of([10, 11], [true, false], (10, 0, 30), (11, 0, 50));
        Assert.Equal([11, -1], descent.Inherited);
        Assert.Equal(0, descent.Heirs[10]);
        Assert.Single(descent.Heirs);
    }

    [Fact]
    public void Of_one_that_is_split_the_larger_part_keeps_the_id_and_the_other_names_its_parent()
    {
        var descent = Of([10, 0, 0], [true, true, false], (10, 0, 20), (10, 1, 30));
        Assert.Equal([0, 10, -1], descent.Inherited);
        Assert.Equal([10, 0, 0], descent.Parents);
        Assert.Equal([20, 30, 0], descent.Sizes);
        Assert.Empty(descent.Heirs);
    }

    [Fact]
    public void New_samples_make_a_new_cluster_without_a_parent()
    {
        var descent = Of([10, 0], [true, true], (10, 0, 50), (0, 1, 50), (10, 1, 4));
        Assert.Equal([10, 0], descent.Inherited);
        Assert.Equal(0, descent.Parents[1]);
    }

    [Fact]
    public void An_id_never_goes_to_other_content()
    {
        // A tenth of cluster 10 is a small part of a new cluster in its old slot; the rest is everywhere.
        var descent = Of([10, 11, 12], Used, (0, 0, 100), (10, 0, 10), (11, 1, 90), (10, 1, 45), (12, 2, 90), (10, 2, 45));
        Assert.Equal([0, 11, 12], descent.Inherited);
        Assert.Equal(-1, descent.Heirs[10]);
    }

    [Fact]
    public void A_cluster_that_no_sample_speaks_of_stays_in_its_slot_while_that_has_a_prototype()
    {
        Assert.Equal([10, 11], Of([10, 11], [true, true], (11, 1, 5)).Inherited);
        var gone = Of([10, 11], [false, true], (11, 1, 5));
        Assert.Equal([-1, 11], gone.Inherited);
        Assert.Equal(-1, gone.Heirs[10]);
        Assert.Equal([0, 0], Descent.Of([], [], [true, true], []).Inherited);
    }

    [Fact]
    public void Every_published_cluster_goes_on_has_an_heir_or_is_gone_and_none_twice() => ForSeeds(random =>
    {
        var published = Enumerable.Range(1, random.Next(1, 8)).Select(id => 10L * id).ToArray();
        var used = Enumerable.Range(0, random.Next(1, 8)).Select(_ => true).ToArray();
        var before = Enumerable.Range(0, 200).Select(_ => random.Next(3) == 0 ? 0 : published[random.Next(published.Length)]).ToArray();
        var descent = Descent.Of(before, [.. before.Select(_ => random.Next(used.Length))], used, published);
        var inherited = descent.Inherited.Where(id => id > 0).ToArray();
        Assert.Equal(inherited.Distinct(), inherited);
        Assert.Equal(published, inherited.Concat(descent.Heirs.Keys).Order());
        Assert.Equal(200, descent.Sizes.Sum());
    });

    private static void ForSeeds(Action<Random> property)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            property(new Random(seed));
        }
    }
}
