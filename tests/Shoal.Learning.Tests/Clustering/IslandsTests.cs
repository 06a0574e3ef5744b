namespace Shoal.Learning.Tests;

public sealed class IslandsTests
{
    [Fact]
    public void Those_that_lie_nearest_are_united_and_numbered_as_they_appear() =>
        Assert.Equal([0, 1, 0, 1], Islands.Unite(At(0, 90, 20, 110), [10, 10, 10, 10], 2, [-1, -1, -1, -1]));

    // By hand: 0 and 30 degrees are 1 - 0.866 = 0.134 apart, 30 and 90 degrees 0.5. Of 100 samples each the first two lose 0.134 · 100 · 100 / 200 = 6.7; a third of 2 samples
    // is joined for 0.5 · 100 · 2 / 102 = 0.98, one of 100 for 25.
    [Theory]
    [InlineData(2, new[] { 0, 1, 1 })]
    [InlineData(100, new[] { 0, 0, 1 })]
    public void Less_is_lost_by_a_small_one(int third, int[] groups) => Assert.Equal(groups, Islands.Unite(At(0, 30, 90), [100, 100, third], 2, [-1, -1, -1]));

    // By hand: once 0 and 10 degrees are one, it is (cos 40 + cos 30) / 2 = 0.816 near to 40 degrees, 1 - 0.816 = 0.184 apart, for 20 · 10 / 30 = 6.67 times that, 1.23. 40 and 75
    // degrees are 1 - cos 35 = 0.181 apart, for 5 times that 0.90. By the nearest pair alone 40 would go with 10.
    [Fact]
    public void A_group_is_as_far_away_as_its_islands_are_on_average() => Assert.Equal([0, 0, 1, 1], Islands.Unite(At(0, 10, 40, 75), [10, 10, 10, 10], 2, [-1, -1, -1, -1]));

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void As_many_as_asked_for_are_left_alone(int most) => Assert.Equal([0, 1, 2], Islands.Unite(At(0, 1, 2), [5, 5, 5], most, [0, 0, 0]));

    [Fact]
    public void One_without_samples_is_united_first_and_changes_nothing() =>
        Assert.Equal([0, 1, 0], Islands.Unite([1, 0, 0, 1, 0, 0], [9, 9, 0], 2, [-1, -1, -1]));

    // By hand: 40 and 77 degrees lose 0.201 for each pair, 0 and 40 degrees 0.234, four fifths of which are less.
    [Theory]
    [InlineData(new[] { -1, -1, -1 }, new[] { 0, 1, 1 })]
    [InlineData(new[] { 4, 4, -1 }, new[] { 0, 0, 1 })]
    [InlineData(new[] { 4, 5, 6 }, new[] { 0, 1, 1 })]
    public void What_was_one_before_is_nearer(int[] before, int[] groups) => Assert.Equal(groups, Islands.Unite(At(0, 40, 77), [10, 10, 10], 2, before));

    // By hand: 0 and 10 degrees are united first, and are 0.336 from 50 degrees, for 27.3 times that 9.2; 50 and 100 degrees lose 8.9. Did the group go by the small one's past, it were 7.3.
    [Fact]
    public void A_group_was_before_what_its_largest_was() => Assert.Equal([0, 0, 1, 1], Islands.Unite(At(0, 10, 50, 100), [50, 10, 50, 50], 2, [1, 2, 2, 3]));

    private static float[] At(params int[] degrees) => [.. degrees.SelectMany(angle => new[] { MathF.Cos(angle * MathF.PI / 180), MathF.Sin(angle * MathF.PI / 180) })];
}
