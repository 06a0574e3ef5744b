namespace Shoal.Learning.Tests;

public sealed class ProbeTests
{
    // Two directions of class 0, one of class 1, close to the query (1, 0).
    private static readonly float[] Known = [1, 0, 0.6f, 0.8f, 0.8f, 0.6f];

    [Fact]
    public void The_nearest_alone_decides_when_k_is_1()
        => Assert.Equal([1], NearestNeighbours.Predict(Known, [1, 0, 0], [1, 0], width: 2, k: 1));

    [Fact]
    public void A_closer_neighbour_outvotes_two_farther_ones()
    {
        // exp(1 / 0.07) is 17 times exp(0.8 / 0.07) and 300 times exp(0.6 / 0.07).
        Assert.Equal([1], NearestNeighbours.Predict(Known, [1, 0, 0], [1, 0], width: 2, k: 3));
    }

    [Fact]
    public void Two_equally_close_outvote_one()
        => Assert.Equal([0], NearestNeighbours.Predict([1, 0, 1, 0, 1, 0], [1, 0, 0], [1, 0], width: 2, k: 20));

    [Fact]
    public void A_linear_probe_separates_what_is_linearly_separable()
    {
        var random = new Random(3);
        var classes = Enumerable.Range(0, 300).Select(i => i % 3).ToArray();
        var points = classes.SelectMany(c => new[] { c + (0.1f * random.NextSingle()), 1 - c + (0.1f * random.NextSingle()), c == 1 ? 1f : 0f }).ToArray();
        Assert.Equal(classes, LinearProbe.Predict(points, classes, points, width: 3, seed: 1));
    }

    [Fact]
    public void Rows_that_do_not_fit_are_refused()
        => Assert.Throws<ArgumentException>(() => NearestNeighbours.Predict(Known, [1, 0], [1, 0], width: 2));
}
