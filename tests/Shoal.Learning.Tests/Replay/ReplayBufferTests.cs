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
        buffer.Remember([.. Enumerable.Range(0, 8).Select(i => (i + 1) % 8)]);
        var other = new ReplayBuffer(Pixel, 8, 1);
        other.Load("x.", buffer.Save("x."));
        Assert.Equal(buffer.Keys, other.Keys);
        Assert.Equal(buffer.Pixels, other.Pixels);
        Assert.Equal(buffer.Draw(20, new Random(3)).Slots, other.Draw(20, new Random(3)).Slots);
        Assert.Throws<InvalidDataException>(() => new ReplayBuffer(Pixel, 4, 1).Load("x.", buffer.Save("x.")));
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
        var random = new Random(seed);
        for (var i = 0; i < offers; i++)
        {
            buffer.Offer([(byte)i], i, random);
        }

        return buffer;
    }
}
