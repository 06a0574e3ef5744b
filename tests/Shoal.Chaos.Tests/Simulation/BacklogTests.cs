using Shoal.Benchmarks.Simulation;

namespace Shoal.Chaos.Tests.Simulation;

/// <summary>A simulated dataset's items: whatever seats, rounds and deals do, each is somewhere, and once.</summary>
public sealed class BacklogTests
{
    private const int Shards = 16;
    private const int Rounds = 2_000;

    [Fact]
    public void Whatever_is_taken_committed_given_back_and_dealt_anew_is_somewhere() => Assert.Equal(0, Lost(forgets: false), 6);

    [Fact]
    public void A_simulation_that_forgets_what_late_seats_did_is_found_out() => Assert.True(Lost(forgets: true) > 1);

    [Fact]
    public void Nobody_trains_on_more_than_has_come()
    {
        var backlog = new Backlog(rate: 10, waiting: 0, Shards, seats: 4);
        backlog.Advance(4);
        backlog.Take(0, round: 0, most: 1_000);
        Assert.Equal((10, 30), (backlog.InHand, backlog.Queued));
    }

    [Fact]
    public void A_seat_that_was_dealt_a_shard_more_has_more_to_do()
    {
        var backlog = new Backlog(rate: 0, waiting: 160, Shards, seats: 6);
        backlog.Take(0, round: 0, most: 1_000);
        backlog.Take(5, round: 0, most: 1_000);
        Assert.Equal(30 + 20, backlog.InHand, 9);
    }

    // Seats at random; those that are late give back what they did, unless that is forgotten.
    private static double Lost(bool forgets)
    {
        var random = new Random(5);
        var seats = 4;
        var backlog = new Backlog(rate: 100, waiting: 1_000, Shards, seats);
        for (var round = 0; round < Rounds; round++)
        {
            backlog.Advance(round);
            for (var seat = 0; seat < seats; seat++)
            {
                backlog.Take(seat, round, random.Next(60));
                if (random.Next(4) > 0)
                {
                    backlog.Commit(seat, round);
                }
                else if (!forgets)
                {
                    backlog.GiveBack(seat, round);
                }
            }

            if (random.Next(20) == 0)
            {
                seats = random.Next(1, Shards);
                backlog.Deal(Shards, seats);
            }
        }

        // What is in nobody's hands any more, for the last round is over.
        return backlog.Arrived - backlog.Trained - backlog.Queued;
    }
}
