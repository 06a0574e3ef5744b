using Shoal.TestKit;

namespace Shoal.Browser.Tests;

/// <summary>What measurements of the pages make of frame times.</summary>
public sealed class PercentileTests
{
    [Fact]
    public void Of_a_hundred_values_in_disorder_the_95th_percentile_is_the_95th()
    {
        double[] values = [.. Enumerable.Range(1, 100).Select(i => (double)(i * 37 % 101))];

        Assert.Equal(95, Percentiles.Of(values, 0.95));
        Assert.Equal(1, Percentiles.Of(values, 0.001));
        Assert.Equal(100, Percentiles.Of(values, 1));
        Assert.Equal(50.5, Percentiles.Median(values));
    }

    [Theory]
    [InlineData(1, 0.95, 1)]
    [InlineData(19, 0.95, 19)]
    [InlineData(20, 0.95, 19)]
    [InlineData(21, 0.95, 20)]
    [InlineData(10, 0.7, 7)]
    public void The_rank_is_rounded_up(int count, double share, double expected) => Assert.Equal(expected, Percentiles.Of([.. Enumerable.Range(1, count).Select(i => (double)i)], share));

    [Fact]
    public void Of_nothing_there_is_no_percentile()
    {
        Assert.Throws<ArgumentException>(() => Percentiles.Of([], 0.5));
        Assert.Throws<ArgumentException>(() => Percentiles.Median([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Percentiles.Of([1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Percentiles.Of([1], 1.1));
    }

    [Fact]
    public void A_frame_lasts_until_the_next_one_begins()
    {
        Assert.Equal([16, 34], Percentiles.Between([100, 116, 150]));
        Assert.Empty(Percentiles.Between([100]));
    }
}
