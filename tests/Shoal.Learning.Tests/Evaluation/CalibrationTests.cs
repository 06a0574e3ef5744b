namespace Shoal.Learning.Tests;

public sealed class CalibrationTests
{
    [Fact]
    public void Right_as_often_as_confident_is_no_error()
    {
        // Ten items of confidence 0.8, of which eight are of their cluster's class.
        int[] classes = [1, 1, 1, 1, 1, 1, 1, 1, 0, 2];
        Assert.Equal(0, Calibration.Error([.. Enumerable.Repeat(0.8, 10)], [.. Enumerable.Repeat(4, 10)], classes), 12);
        Assert.Equal(0.2, Calibration.Error([.. Enumerable.Repeat(1.0, 10)], [.. Enumerable.Repeat(4, 10)], classes), 12);
    }

    [Fact]
    public void Errors_of_two_bins_do_not_cancel()
        => Assert.Equal(0.5, Calibration.Error([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1], [0, 0, 1, 1]), 12);

    [Fact]
    public void A_bin_that_is_too_sure_and_one_that_is_not_sure_enough_add_up()
        => Assert.Equal((0.4 + 0.5) / 2, Calibration.Error([0.9, 0.9, 0.5, 0.5], [0, 0, 1, 1], [0, 1, 2, 2]), 12);

    [Fact]
    public void Other_lengths_are_named()
        => Assert.Contains("1 confidences, 2 clusters", Assert.Throws<ArgumentException>(() => Calibration.Error([1], [0, 0], [0, 0])).Message, StringComparison.Ordinal);
}
