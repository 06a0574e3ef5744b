using Shoal.Contracts;
using Shoal.Grains.Training;

namespace Shoal.Grains.Tests;

public sealed class SkippedRangesTests
{
    [Fact]
    public void Parts_of_one_time_are_one_range_and_another_time_is_another()
    {
        SkippedRange[] joined = SkippedRanges.Joined(
            [new(0, 100, 200, 100)],
            [new(1, 50, 60, 10), new(0, 232, 300, 68), new(0, 332, 340, 8), new(0, 9_000, 9_500, 500)]);
        Assert.Equal([new(0, 100, 340, 176), new(0, 9_000, 9_500, 500), new(1, 50, 60, 10)], joined);
    }

    [Fact]
    public void However_often_training_could_not_follow_few_ranges_are_kept_and_none_is_forgotten()
    {
        SkippedRange[] ranges = [];
        for (var time = 0; time < 3 * SkippedRanges.Most; time++)
        {
            ranges = SkippedRanges.Joined(ranges, [new(time % 4, time * 10_000L, (time * 10_000L) + 5, 5)]);
            Assert.True(ranges.Length <= SkippedRanges.Most);
        }

        Assert.Equal(3 * SkippedRanges.Most * 5, ranges.Sum(range => range.Items));
    }
}
