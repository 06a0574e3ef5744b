using Shoal.Contracts;
using Shoal.Grains.Training;

namespace Shoal.Grains.Tests;

public sealed class SharedRoundTests
{
    [Fact]
    public void Nobody_knows_an_outcome_before_the_round_is_over()
    {
        var round = new SharedRound(3, begunAt: 0, seconds: 10);
        Assert.Null(round.LastAt);
        round.Take(Delivery("a"), now: 70);
        round.Take(Delivery("b"), now: 90);
        Assert.Equal((90L, 2), (round.LastAt!.Value, round.Deliveries.Count));
        Assert.Null(round.OutcomeFor("a"));
    }

    [Fact]
    public void Who_delivered_or_had_nothing_to_do_goes_on_from_it_and_who_comes_later_begins_again()
    {
        var round = new SharedRound(3, begunAt: 0, seconds: 10);
        round.Take(Delivery("a"), now: 1);
        round.End(new RoundOutcome(4, [], Taken: true, Seconds: 10), idle: ["b"]);
        Assert.Equal((true, true, false), (round.OutcomeFor("a")!.Taken, round.OutcomeFor("b")!.Taken, round.OutcomeFor("c")!.Taken));

        // It had taken steps that nobody merged.
        round.Missed("b");
        Assert.False(round.OutcomeFor("b")!.Taken);
        Assert.True(round.OutcomeFor("a")!.Taken);
    }

    [Fact]
    public void A_delivery_that_comes_again_counts_once()
    {
        var round = new SharedRound(3, begunAt: 0, seconds: 10);
        round.Take(Delivery("a") with { Samples = 5 }, now: 1);
        round.Take(Delivery("a") with { Samples = 7 }, now: 2);
        Assert.Equal(7, Assert.Single(round.Deliveries).Samples);
    }

    [Fact]
    public void Progress_of_several_seats_adds_up()
    {
        var before = new SeatProgress { Samples = 100, BackwardPasses = 1_000, Losses = [] };
        SeatProgress merged = SeatProgresses.Merged(before, [Delivery("a") with { Samples = 5, BackwardPasses = 50, Resting = true }, Delivery("b") with { Samples = 7, BackwardPasses = 70 }]);
        Assert.Equal((112L, 1_120L, 20L, 30, false), (merged.Samples, merged.BackwardPasses, merged.Steps, merged.ReplayCount, merged.Rested));
        Assert.Equal((112L, 20L), (SeatProgresses.Now(merged, [Progress("a"), Progress("b")])!.Samples, SeatProgresses.Now(null, [Progress("b")])!.Steps));
    }

    [Fact]
    public void The_last_keys_keep_their_numbers_samples_and_steps()
    {
        BankKeys keys = TensorFiles.Keys(new Learning.BankState(10, 2, [1, 1, 2, 2, 3, 3], [7, 8, 9], [4, 5, 6]));
        Learning.BankState last = TensorFiles.Bank(TensorFiles.Last(keys, 2));
        Assert.Equal(10, last.Count);
        Assert.Equal([2f, 2f, 3f, 3f], last.Keys);
        Assert.Equal([8L, 9L], last.Samples);
        Assert.Equal([5L, 6L], last.Steps);
        Assert.Equal(3, TensorFiles.Last(keys, 5).Count);
    }

    private static SeatProgress Progress(string seat) => new() { Steps = seat is "a" ? 10 : 20, ReplayCount = 15, Losses = [] };

    private static SeatDelivery Delivery(string seat) => new()
    {
        Seat = seat,
        Cursors = [],
        Model = new Claim("model", 1),
        Share = new SeatShare { Shards = [], Parts = [] },
        Keys = new BankKeys { Keys = [], Samples = [], Steps = [] },
        Progress = Progress(seat),
    };
}
