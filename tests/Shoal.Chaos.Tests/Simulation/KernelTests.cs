using Shoal.Benchmarks.Simulation;

namespace Shoal.Chaos.Tests.Simulation;

/// <summary>The parts that a simulation is made of, against what is known of them without one.</summary>
public sealed class KernelTests
{
    private const int Calls = 300_000;
    private const double Service = 0.001;

    // The mean wait of so many calls differs from its expectation by 2 % at four fifths of the turn's time.
    private const double Margin = 0.06;

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.8)]
    public void Calls_of_a_turn_wait_as_long_as_in_the_theory_of_queues(double utilisation) =>
        Assert.InRange(Deviation(utilisation, servers: 1), -Margin, Margin);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.8)]
    public void A_turn_that_lets_two_calls_run_at_once_is_found_out(double utilisation) =>
        Assert.True(Deviation(utilisation, servers: 2) < -5 * Margin);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    public void What_else_a_turn_does_makes_its_calls_as_much_longer(double background)
    {
        const double Rate = 300;
        QueryProbe.Times times = QueryProbe.Follow(Calls, Rate, Service, background, seed: 3);
        var service = Service / (1 - background);
        Assert.InRange(times.MeanWait / MeanWait(Rate, service), 1 - Margin, 1 + Margin);
    }

    [Fact]
    public void A_turn_that_is_asked_for_more_than_it_can_do_says_so()
    {
        QueryProbe.Times times = QueryProbe.Follow(10_000, 2_000, Service, 0, seed: 4);
        Assert.Equal(2, times.Utilisation, 6);
        Assert.True(times.P99 > 1);
    }

    [Fact]
    public void Seats_share_a_compute_thread_evenly_and_what_is_not_made_of_steps_stops_them()
    {
        var loop = new EventLoop();
        var compute = new Processor(loop);
        var ends = new List<(string What, double At)>();
        loop.Start(async () =>
        {
            await compute.Work(1);
            ends.Add(("short", loop.Now));
        });
        loop.Start(async () =>
        {
            await compute.Work(2);
            ends.Add(("long", loop.Now));
        });
        loop.Run(2.5);
        // Both got one second each by 2; the longer one is alone since then.
        Assert.Equal([("short", 2.0)], ends);
        loop.Start(async () =>
        {
            await compute.WorkWholeAsync(4, pieces: 1, step: 0.25);
            ends.Add(("whole", loop.Now));
        });
        loop.Run(10);
        // It waits for a step of the one that works, takes four seconds, and the other then does the quarter that it has left.
        Assert.Equal(["short", "whole", "long"], ends.Select(end => end.What));
        Assert.Equal(6.75, ends[1].At, 9);
        Assert.Equal(7.0, ends[2].At, 9);
    }

    [Fact]
    public void A_gate_lets_one_in_at_a_time_in_the_order_in_which_they_came()
    {
        var loop = new EventLoop();
        var gate = new Gate(loop);
        var ends = new List<(int Who, double At)>();
        for (var i = 0; i < 3; i++)
        {
            var who = i;
            loop.Start(async () =>
            {
                await gate.Enter();
                await loop.Delay(1);
                ends.Add((who, loop.Now));
                gate.Leave();
            });
        }

        loop.Run(10);
        Assert.Equal([(0, 1.0), (1, 2.0), (2, 3.0)], ends);
    }

    [Fact]
    public void A_process_that_fails_fails_the_run()
    {
        var loop = new EventLoop();
        loop.Start(async () =>
        {
            await loop.Delay(1);
            throw new InvalidDataException("a seat without a shard");
        });
        Assert.Equal("a seat without a shard", Assert.Throws<InvalidDataException>(() => loop.Run(2)).Message);
    }

    // Of an M/M/1 queue (Kleinrock 1975, Queueing Systems, volume 1, section 3.2): utilisation over what is left of the rate of service.
    private static double MeanWait(double rate, double service) => rate * service / ((1 / service) - rate);

    private static double Deviation(double utilisation, int servers)
    {
        QueryProbe.Times times = QueryProbe.Follow(Calls, utilisation / Service, Service, 0, seed: 2, servers);
        return (times.MeanWait / MeanWait(utilisation / Service, Service)) - 1;
    }
}
