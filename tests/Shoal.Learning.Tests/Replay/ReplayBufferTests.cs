namespace Shoal.Learning.Tests;

public sealed class ReplayBufferTests
{
    private static readonly SampleShape Pixel = new(1, 1, 1);

    [Fact]
    public void Every_sample_ever_offered_is_kept_equally_often()
    {
        // 400 runs of 100 offers into 20 places: each tenth of the stream expects 800 kept samples, deviation about 25.
        var kept = new int[10];
        for (var seed = 0; seed < 400; seed++)
        {
            foreach (var key in Filled(20, 100, seed).Keys)
            {
                kept[key / 10]++;
            }
        }

        Assert.All(kept, count => Assert.InRange(count, 700, 900));
    }

    [Fact]
    public void Pairs_are_neighbours_until_their_slot_is_taken_over()
    {
        var buffer = Filled(4, 4, seed: 1);
        buffer.Remember([1, 0, 3, 2]);
        var (slots, paired) = buffer.Draw(100, new Random(1));
        Assert.All(paired, Assert.True);
        Assert.All(Enumerable.Range(0, 50), i => Assert.Equal(slots[2 * i] ^ 1, slots[(2 * i) + 1]));

        while (buffer.Keys[0] == 0)
        {
            buffer.Offer([9], 99, new Random((int)buffer.Offered));
        }

        (slots, paired) = buffer.Draw(100, new Random(1));
        Assert.All(Enumerable.Range(0, 50).Where(i => slots[2 * i] is 0 or 1), i => Assert.False(paired[i]));
    }

    [Fact]
    public void What_was_saved_is_read_back()
    {
        var buffer = Filled(8, 50, seed: 2);
        Segment(buffer, 50, 3, seed: 3);
        buffer.Remember([.. Enumerable.Range(0, 8).Select(i => (i + 1) % 8)]);
        var other = new ReplayBuffer(Pixel, 8, 1);
        other.Load("x.", buffer.Save("x."));
        Assert.Equal(buffer.Keys, other.Keys);
        Assert.Equal(buffer.Pixels, other.Pixels);
        Assert.Equal([buffer.Slots(0), buffer.Slots(1)], [other.Slots(0), other.Slots(1)]);
        Assert.Equal(buffer.Draw(20, new Random(3)).Slots, other.Draw(20, new Random(3)).Slots);
        Assert.Throws<InvalidDataException>(() => new ReplayBuffer(Pixel, 4, 1).Load("x.", buffer.Save("x.")));
    }

    [Fact]
    public void What_is_new_soon_has_an_equal_share_and_every_segment_stays_uniform()
    {
        // 300 runs: 1,000 offers, then 200 of a second segment into 40 places. 20 places each; each half of a segment expects 10.
        var kept = new int[2, 2];
        for (var seed = 0; seed < 300; seed++)
        {
            var buffer = Filled(40, 1_000, seed);
            Segment(buffer, 1_000, 200, seed + 1_000);
            Assert.Equal((20, 20), (buffer.Slots(0).Count, buffer.Slots(1).Count));
            Assert.Equal(Enumerable.Range(0, 40), buffer.Slots(0).Concat(buffer.Slots(1)).Order());
            foreach (var key in buffer.Keys)
            {
                kept[key < 1_000 ? 0 : 1, key < 1_000 ? key / 500 : (key - 1_000) / 100]++;
            }
        }

        Assert.All(kept.Cast<int>(), count => Assert.InRange(count, 2_800, 3_200));
    }

    [Fact]
    public void A_new_segment_takes_room_as_it_comes_and_joined_ones_share_one_part()
    {
        var buffer = Filled(60, 500, seed: 1);
        Segment(buffer, 500, 10, seed: 2);
        Assert.Equal((50, 10), (buffer.Slots(0).Count, buffer.Slots(1).Count));
        Segment(buffer, 510, 500, seed: 3);

        // The second never filled its share; what it left stays with the first.
        Assert.Equal([30, 10, 20], Enumerable.Range(0, 3).Select(s => buffer.Slots(s).Count));
        buffer.Join(0, 1);
        Assert.Equal((2, 40), (buffer.SegmentCount, buffer.Slots(0).Count));
        Segment(buffer, 1_010, 500, seed: 4);
        Assert.Equal([20, 20, 20], Enumerable.Range(0, 3).Select(s => buffer.Slots(s).Count));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Join(1, 1));
    }

    [Fact]
    public void What_is_forgotten_is_gone_from_every_segment_and_the_rest_stays_what_it_was()
    {
        var buffer = Filled(40, 100, seed: 1);
        Segment(buffer, 100, 60, seed: 2);
        buffer.Label([.. Enumerable.Range(0, 40)]);
        buffer.Remember([.. Enumerable.Range(0, 40).Select(i => (i + 1) % 40)]);
        var before = Enumerable.Range(0, 40).ToDictionary(slot => buffer.Keys[slot], slot => (buffer[slot][0], buffer.LabelOf(slot), First: buffer.Slots(0).Contains(slot)));
        var doomed = before.Keys.Where(key => key % 3 == 0).ToHashSet();
        Assert.Equal(doomed.Count, buffer.Forget(doomed));
        Assert.Equal(0, buffer.Forget(doomed));

        Assert.Equal(before.Keys.Except(doomed).Order(), buffer.Keys.ToArray().Order());
        Assert.Equal(Enumerable.Range(0, buffer.Count), buffer.Slots(0).Concat(buffer.Slots(1)).Order());
        Assert.All(Enumerable.Range(0, buffer.Count), slot =>
            Assert.Equal(before[buffer.Keys[slot]], (buffer[slot][0], buffer.LabelOf(slot), buffer.Slots(0).Contains(slot))));
        Assert.DoesNotContain(true, buffer.Draw(20, new Random(1)).Paired);

        // Its places are taken by what comes.
        OfferAll(buffer, 300, 60, seed: 3);
        Assert.Equal(40, buffer.Count);
    }

    [Fact]
    public void How_long_a_sample_is_shown_as_what_it_is_goes_with_it()
    {
        var buffer = Filled(6, 4, seed: 1);
        int[] For() => [.. Enumerable.Range(0, buffer.Count).Select(buffer.SettledFor)];
        buffer.Show([0, 1, 2, 3]);
        Assert.Equal([0, 0, 0, 0], For());
        buffer.Show([0, 1, 2, 2]);
        buffer.Show([0, 1, 3, 2]);
        Assert.Equal([2, 2, 0, 1], For());
        Assert.Throws<ArgumentException>(() => buffer.Show([0]));
        Assert.Equal([2, 2, 0, 1], For());

        // Another replica's word: the last is shown as something else.
        buffer.Assign(Enumerable.Range(0, 4).ToDictionary(slot => buffer.Keys[slot], slot => (0, slot == 3 ? 5 : buffer.ShownOf(slot))));
        Assert.Equal([2, 2, 0, 0], For());

        buffer.Forget(new HashSet<long> { buffer.Keys[0] });
        Assert.Equal([2, 0, 0], For());
        OfferAll(buffer, 10, 1, seed: 2);
        Assert.Equal([2, 0, 0, 0], For());

        var saved = buffer.Save("replay.");
        var other = new ReplayBuffer(Pixel, 6, 1);
        other.Load("replay.", saved);
        Assert.Equal(For(), Enumerable.Range(0, other.Count).Select(other.SettledFor));

        // States of before it was kept are read, too.
        other = new ReplayBuffer(Pixel, 6, 1);
        other.Load("replay.", [.. saved.Where(tensor => !tensor.Name.EndsWith("settled", StringComparison.Ordinal))]);
        Assert.Equal([0, 0, 0, 0], Enumerable.Range(0, other.Count).Select(other.SettledFor));
    }

    [Fact]
    public void Sample_keys_survive_packing()
    {
        foreach (var key in new[] { new SampleKey(0, 0), new SampleKey(65_535, (1L << 48) - 1), new SampleKey(255, 123_456_789) })
        {
            Assert.Equal(key, SampleKey.Unpack(key.Packed));
        }
    }

    private static ReplayBuffer Filled(int capacity, int offers, int seed)
    {
        var buffer = new ReplayBuffer(Pixel, capacity, 1);
        OfferAll(buffer, 0, offers, seed);
        return buffer;
    }

    private static void Segment(ReplayBuffer buffer, int first, int offers, int seed)
    {
        buffer.BeginSegment();
        OfferAll(buffer, first, offers, seed);
    }

    private static void OfferAll(ReplayBuffer buffer, int first, int offers, int seed)
    {
        var random = new Random(seed);
        for (var i = first; i < first + offers; i++)
        {
            buffer.Offer([(byte)i], i, random);
        }
    }
}
