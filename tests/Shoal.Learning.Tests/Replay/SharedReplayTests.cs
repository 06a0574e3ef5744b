namespace Shoal.Learning.Tests;

public sealed class SharedReplayTests
{
    private static readonly LearnerOptions Whole = Making.Small();

    [Fact]
    public void What_is_dealt_out_and_joined_again_is_the_same_samples_with_the_same_clusters()
    {
        var part = Part([0, 1, 2, 3], 60, labelled: true);
        var dealt = Enumerable.Range(0, 2).Select(seat => SharedReplay.Join([part], Whole, shard => shard % 2 == seat)).ToArray();
        Assert.All(dealt[1].Named("train.keys").Values<long>(), key => Assert.Equal(1, SampleKey.Unpack(key).Shard % 2));
        Assert.Equal(Samples(part), Samples(SharedReplay.Join(dealt, Whole, _ => true)));
        Assert.NotEqual(Samples(part), Samples(dealt[0]));
    }

    [Fact]
    public void What_is_joined_is_a_replay_buffer_that_goes_on()
    {
        var joined = SharedReplay.Join([Part([0], 100), Part([1], 100)], Whole, _ => true);
        var buffer = new ReplayBuffer(Making.Grey, Whole.ReplaySize, Whole.NeighbourCount);
        buffer.Load("train.", joined);
        Assert.Equal((200, 200L, 2), (buffer.Count, buffer.Offered, buffer.SegmentCount));
        Assert.Equal(200, Enumerable.Range(0, 2).Sum(segment => buffer.Slots(segment).Count));
        var (slots, paired) = buffer.Draw(20, new Random(1));
        Assert.Equal(20, slots.Length);
        Assert.DoesNotContain(true, paired);
        buffer.Offer(Making.Bars(1, 900)[0], 900, new Random(1));
        Assert.Equal(201, buffer.Count);
    }

    [Fact]
    public void Too_many_samples_give_way_in_the_largest_segments_evenly_over_shards()
    {
        var joined = SharedReplay.Join([Part([0], 200), Part([1], 200), Part([2], 40)], Whole, _ => true);
        var perShard = joined.Named("train.keys").Values<long>().CountBy(key => SampleKey.Unpack(key).Shard).ToDictionary();
        Assert.Equal(Whole.ReplaySize, perShard.Values.Sum());
        Assert.InRange(perShard[0], 90, 140);
        Assert.InRange(perShard[1], 90, 140);
        Assert.InRange(perShard[2], 10, 40);
        int[] segments = joined.Named("train.segments.count").Values<int>();
        Assert.Equal(segments[0], segments[1]);
    }

    private static (long Key, int Label, string Pixels)[] Samples(IReadOnlyList<NamedTensor> part)
    {
        var (keys, labels, pixels) = (part.Named("train.keys").Values<long>(), part.Named("train.labels").Values<int>(), part.Named("train.pixels").Data);
        return [.. keys.Select((key, i) => (key, labels[i], Convert.ToHexString(pixels.AsSpan(i * Making.Grey.Size, Making.Grey.Size)))).OrderBy(sample => sample.key)];
    }

    // A replay of two segments of as many samples each, of some shards in turn.
    private static IReadOnlyList<NamedTensor> Part(int[] shards, int samples, bool labelled = false)
    {
        var (train, heldOut, recent) = (new ReplayBuffer(Making.Grey, 512, Whole.NeighbourCount), new ReplayBuffer(Making.Grey, 64, Whole.NeighbourCount), new RecentSamples(Making.Grey, 8));
        var random = new Random(7);
        var bars = Making.Bars(samples, 0);
        for (var i = 0; i < samples; i++)
        {
            if (i == samples / 2)
            {
                train.BeginSegment();
            }

            var key = new SampleKey(shards[i % shards.Length], i).Packed;
            train.Offer(bars[i], key, random);
            heldOut.Offer(bars[i], key, random);
            recent.Add(bars[i], key);
        }

        if (labelled)
        {
            train.Label([.. Enumerable.Range(0, train.Count).Select(slot => slot % 4)]);
        }

        return [.. train.Save("train."), .. heldOut.Save("heldout."), .. recent.Save("recent.")];
    }
}
