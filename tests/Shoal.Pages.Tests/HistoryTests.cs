using Microsoft.Extensions.Time.Testing;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>Series and rates.</summary>
public sealed class HistoryTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(60)]
    public void A_series_is_bounded_and_has_its_beginning_its_end_and_what_lies_between(int capacity)
    {
        var history = new History(capacity);
        for (int i = 0; i <= 10_000; i++)
        {
            history.Add(i, 2 * i);
        }

        IReadOnlyList<Reading> kept = history.Readings;
        Assert.InRange(kept.Count, capacity / 2, capacity);
        Assert.Equal(0, kept[0].At);
        Assert.Equal(10_000, kept[^1].At);
        Assert.All(kept, reading => Assert.Equal(2 * reading.At, reading.Value));
        Assert.Equal(kept.OrderBy(reading => reading.At), kept);

        // No hole is wider than four times what an even series would have.
        Assert.True(kept.Zip(kept.Skip(1)).Max(pair => pair.Second.At - pair.First.At) <= 4.0 * 10_000 / capacity);
    }

    [Fact]
    public void A_short_series_has_every_reading()
    {
        var history = new History(10);
        history.Add(1, 5);
        history.Add(2, 7);

        Assert.Equal([new Reading(1, 5), new Reading(2, 7)], history.Readings);
    }

    [Fact]
    public void What_is_not_a_number_or_not_later_is_left_out()
    {
        var history = new History(10);
        history.Add(1, 5);
        history.Add(2, double.NaN);
        history.Add(1, 9);

        Assert.Equal([new Reading(1, 5)], history.Readings);
    }

    [Fact]
    public void A_rate_is_over_the_last_half_minute()
    {
        var time = new FakeTimeProvider();
        var meter = new RateMeter(time);
        Assert.Equal(double.NaN, meter.Read(1_000));

        // Ten a second for a minute, then nothing for twenty seconds.
        double rate = 0;
        for (int second = 1; second <= 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            rate = meter.Read(1_000 + (10 * second));
        }

        Assert.Equal(10, rate, 6);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(100 / 30.0, meter.Read(1_600), 6);
    }

    [Fact]
    public void A_counter_that_begins_anew_has_no_negative_rate()
    {
        var time = new FakeTimeProvider();
        var meter = new RateMeter(time);
        meter.Read(5_000);
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(double.NaN, meter.Read(10));

        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(5, meter.Read(20), 6);
    }
}
