namespace Shoal.Learning.Tests;

public sealed class IslandsTests
{
    [Fact]
    public void Those_that_lie_nearest_are_united_and_numbered_as_they_appear() =>
        Assert.Equal([0, 1, 0, 1], Islands.Unite(At(0, 90, 20, 110), [10, 10, 10, 10], 2, Never(4)));

    // By hand: 0 and 30 degrees are 1 - 0.866 = 0.134 apart, 30 and 90 degrees 0.5. Of 100 samples each the first two lose 0.134 · 100 · 100 / 200 = 6.7; a third of 2 samples
    // is joined for 0.5 · 100 · 2 / 102 = 0.98, one of 100 for 25.
    [Theory]
    [InlineData(2, new[] { 0, 1, 1 })]
    [InlineData(100, new[] { 0, 0, 1 })]
    public void Less_is_lost_by_a_small_one(int third, int[] groups) => Assert.Equal(groups, Islands.Unite(At(0, 30, 90), [100, 100, third], 2, Never(3)));

    // By hand: once 0 and 10 degrees are one, it is (cos 40 + cos 30) / 2 = 0.816 near to 40 degrees, 1 - 0.816 = 0.184 apart, for 20 · 10 / 30 = 6.67 times that, 1.23. 40 and 75
    // degrees are 1 - cos 35 = 0.181 apart, for 5 times that 0.90. By the nearest pair alone 40 would go with 10.
    [Fact]
    public void A_group_is_as_far_away_as_its_islands_are_on_average() => Assert.Equal([0, 0, 1, 1], Islands.Unite(At(0, 10, 40, 75), [10, 10, 10, 10], 2, Never(4)));

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void As_many_as_asked_for_are_left_alone(int most) => Assert.Equal([0, 1, 2], Islands.Unite(At(0, 1, 2), [5, 5, 5], most, Before(0, 0, 0)));

    [Fact]
    public void One_without_samples_is_united_first_and_changes_nothing() =>
        Assert.Equal([0, 1, 0], Islands.Unite([1, 0, 0, 1, 0, 0], [9, 9, 0], 2, Never(3)));

    // By hand: 40 and 77 degrees lose 0.201 for each pair, 0 and 40 degrees 0.234, four fifths of which are less.
    [Theory]
    [InlineData(new[] { -1, -1, -1 }, new[] { 0, 1, 1 })]
    [InlineData(new[] { 4, 4, -1 }, new[] { 0, 0, 1 })]
    [InlineData(new[] { 4, 5, 6 }, new[] { 0, 1, 1 })]
    public void What_was_one_before_is_nearer(int[] before, int[] groups) => Assert.Equal(groups, Islands.Unite(At(0, 40, 77), [10, 10, 10], 2, Before(before)));

    // By hand: 45 and 77 degrees lose 0.152 for each pair, 0 and 45 degrees 0.293: as long as they have been one for 1.85 times that it is more, for 2.05 times less.
    [Theory]
    [InlineData(0, 1, new[] { 0, 1, 1 })]
    [InlineData(0.6, 0.6, new[] { 0, 1, 1 })]
    [InlineData(0.8, 0.8, new[] { 0, 0, 1 })]
    [InlineData(1, 1, new[] { 0, 0, 1 })]
    public void The_longer_two_were_one_the_nearer_they_are(double first, double second, int[] groups) =>
        Assert.Equal(groups, Islands.Unite(At(0, 45, 77), [10, 10, 10], 2, [new(4, first), new(4, second), new(5, 1)]));

    // By hand: 0 and 10 degrees are united first, and are (0.357 + 0.234 / 1.25) / 2 = 0.272 from 50 degrees, for 6.67 times that 1.81; 50 and 100 degrees lose 5 times 0.357, 1.79. Had both the
    // past of one, it were 1.58.
    [Fact]
    public void What_islands_are_united_with_is_not_their_kin() => Assert.Equal([0, 0, 1, 1], Islands.Unite(At(0, 10, 50, 100), [10, 10, 10, 10], 2, Before(1, 2, 2, 3)));

    [Fact]
    public void An_island_is_settled_as_its_samples_are_that_were_shown_as_it()
    {
        // Samples 0 to 3 are of one island, three of them shown in cluster 7; for 0, 5, 20 and 9 minings. The other is new.
        int[] settled = [0, 5, 20, 9, 0];
        IslandPast[] past = Islands.PastOf([0, 0, 0, 0, 1], [4, 1], [7, 7, 7, 3, -1], sample => settled[sample]);
        Assert.Equal([new IslandPast(7, (0 + 0.5 + 1) / 4), new IslandPast(-1, 0)], past);
    }

    private static IslandPast[] Never(int count) => Before([.. Enumerable.Repeat(-1, count)]);

    private static IslandPast[] Before(params int[] clusters) => Array.ConvertAll(clusters, cluster => new IslandPast(cluster, 0));

    private static float[] At(params int[] degrees) => [.. degrees.SelectMany(angle => new[] { MathF.Cos(angle * MathF.PI / 180), MathF.Sin(angle * MathF.PI / 180) })];
}
