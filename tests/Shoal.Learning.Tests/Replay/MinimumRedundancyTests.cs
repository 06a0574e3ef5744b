namespace Shoal.Learning.Tests;

public sealed class MinimumRedundancyTests
{
    private const int Width = 3;
    private static readonly SampleShape Pixel = new(1, 1, 1);

    [Fact]
    public void What_gives_way_is_what_an_exhaustive_search_finds()
    {
        var random = new Random(4);
        var (redundancy, kept) = (new MinimumRedundancy(12, Width), new List<float[]>());
        for (var i = 0; i < 12; i++)
        {
            kept.Add(Direction(random));
            redundancy.Place(i, kept[i]);
        }

        for (var i = 0; i < 200; i++)
        {
            var slot = redundancy.Most([.. Enumerable.Range(0, 12)]);
            Assert.Equal(Nearest(kept, Exhaustive(kept)), Nearest(kept, slot));
            kept[slot] = Direction(random);
            redundancy.Place(slot, kept[slot]);
        }
    }

    [Fact]
    public void A_rare_kind_is_kept_whole_where_a_uniform_sample_loses_most_of_it()
    {
        // 2,000 samples near one direction, and among them 12 that resemble nothing else, into 40 places.
        int Rare(bool redundant)
        {
            var random = new Random(7);
            var buffer = new ReplayBuffer(Pixel, 40, 1, redundant ? new MinimumRedundancy(40, Width) : null);
            for (var i = 0; i < 2_000; i++)
            {
                var rare = i % 167 == 100;
                var angle = (rare ? Math.PI / 2 : 0) + (rare ? i * 0.001 : random.NextDouble() * 0.1);
                float[] embedding = [(float)Math.Cos(angle), (float)Math.Sin(angle), 0];
                buffer.Offer([(byte)(rare ? 1 : 0)], i, random, embedding);
            }

            return buffer.Pixels.ToArray().Count(pixel => pixel == 1);
        }

        Assert.Equal(12, Rare(redundant: true));
        Assert.InRange(Rare(redundant: false), 0, 3);
    }

    [Fact]
    public void What_is_forgotten_makes_nothing_redundant_any_more()
    {
        var redundancy = new MinimumRedundancy(4, Width);
        redundancy.Place(0, [1, 0, 0]);
        redundancy.Place(1, [0, 1, 0]);
        redundancy.Place(2, [1, 0, 0]);
        redundancy.Place(3, [0, 0.9f, 0.436f]);
        redundancy.Keep([1, 2, 3]);
        Assert.NotEqual(1, redundancy.Most([0, 1, 2]));
    }

    [Fact]
    public void A_restored_buffer_gives_up_the_same_samples()
    {
        var random = new Random(5);
        var buffer = new ReplayBuffer(Pixel, 20, 1, new MinimumRedundancy(20, Width));
        Offer(buffer, 0, 50, random);
        buffer.BeginSegment();
        Offer(buffer, 50, 60, random);
        var other = new ReplayBuffer(Pixel, 20, 1, new MinimumRedundancy(20, Width));
        other.Load("x.", buffer.Save("x."));
        Offer(buffer, 60, 90, new Random(6));
        Offer(other, 60, 90, new Random(6));
        Assert.Equal(buffer.Keys, other.Keys);
        Assert.Equal((10, 10), (buffer.Slots(0).Count, buffer.Slots(1).Count));
    }

    [Fact]
    public void A_learner_that_rehearses_by_it_goes_on_bit_exactly_after_a_restart()
    {
        var options = Making.Small() with { Replay = ReplayPolicy.MinimumRedundancy, FreshPerStep = 64 };
        using var learner = new Learner(Making.Grey, options);
        for (var step = 0; step < 8; step++)
        {
            learner.Observe(Making.Bars(64, step * 64));
        }

        using var restored = Learner.Restore(Making.Grey, options, learner.Snapshot(), learner.Bank());
        foreach (var each in new[] { learner, restored })
        {
            each.Observe(Making.Bars(64, 8 * 64));
            each.Observe(Making.Bars(64, 9 * 64));
        }

        Assert.Equal(256, learner.ReplayCount);
        var (mine, theirs) = (learner.Snapshot()["replay"], restored.Snapshot()["replay"]);
        Assert.All(mine.Zip(theirs), pair => Assert.True(pair.First.Data.SequenceEqual(pair.Second.Data), pair.First.Name));
    }

    private static void Offer(ReplayBuffer buffer, int first, int end, Random random)
    {
        for (var i = first; i < end; i++)
        {
            buffer.Offer([(byte)i], i, random, Direction(random));
        }
    }

    private static float[] Direction(Random random)
    {
        var row = Enumerable.Range(0, Width).Select(_ => random.NextDouble() - 0.5).ToArray();
        return [.. row.Select(value => (float)(value / Math.Sqrt(row.Sum(x => x * x))))];
    }

    private static int Exhaustive(List<float[]> kept) => Enumerable.Range(0, kept.Count).MaxBy(i => Nearest(kept, i));

    // A pair is equally redundant from either side.
    private static double Nearest(List<float[]> kept, int slot) => Math.Round(
        Enumerable.Range(0, kept.Count).Where(other => other != slot).Max(other => kept[slot].Zip(kept[other], (a, b) => (double)a * b).Sum()), 5);
}
