namespace Shoal.Learning.Tests;

public sealed class ForgettingTests
{
    [Fact]
    public void What_was_best_in_the_middle_counts_against_the_end()
    {
        double[][] curve = [[0.2, 0.9], [0.8, 0.9], [0.5, 0.9]];
        Assert.Equal([0.3, 0.0], Forgetting.OfClasses(curve).Select(lost => Math.Round(lost, 12)));
        Assert.Equal(0.15, Forgetting.Mean(curve), 12);
    }

    [Fact]
    public void A_class_that_is_best_at_the_end_does_not_hide_another_ones_loss()
        => Assert.Equal((0 + 0.4) / 2, Forgetting.Mean([[0.1, 0.9], [0.9, 0.5]]), 12);

    [Fact]
    public void Points_before_a_class_appeared_do_not_count()
    {
        double[][] curve = [[0.9, double.NaN], [0.7, 0.6], [0.7, 0.5]];
        Assert.Equal([0.2, 0.1], Forgetting.OfClasses(curve).Select(lost => Math.Round(lost, 12)));
    }

    [Fact]
    public void A_class_that_never_appeared_is_left_out_of_the_mean()
    {
        double[][] curve = [[0.9, double.NaN], [0.7, double.NaN]];
        Assert.Equal(double.NaN, Forgetting.OfClasses(curve)[1]);
        Assert.Equal(0.2, Forgetting.Mean(curve), 12);
    }

    [Fact]
    public void One_point_has_forgotten_nothing()
        => Assert.Equal(0, Forgetting.Mean([[0.3, 0.4]]));

    [Fact]
    public void Points_of_different_lengths_are_named()
        => Assert.Contains("Points of 2, 1 classes", Assert.Throws<ArgumentException>(() => Forgetting.Mean([[1, 1], [1]])).Message, StringComparison.Ordinal);
}
