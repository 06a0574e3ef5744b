namespace Shoal.Contracts.Tests;

/// <summary>Golden values: were one to change, every stored item would be looked for in the wrong shard.</summary>
public sealed class ItemKeyTests
{
    // From `printf %s ID | sha256sum`: the first 16 hex digits, the next 16, and the latter modulo 16, 256 and 1,000.
    [Theory]
    [InlineData("a", 0xca978112ca1bbdca, 0xfac231b39a23dc4d, 13, 77, 693)]
    [InlineData("abc", 0xba7816bf8f01cfea, 0x414140de5dae2223, 3, 35, 947)]
    [InlineData("é/1", 0x728427137a75c38b, 0xb692751230cf43ad, 13, 173, 893)]
    public void The_key_and_shard_of_an_id_never_change(string id, ulong high, ulong low, int of16, int of256, int of1000)
    {
        var key = ItemKey.Of(id);
        Assert.Equal(new ItemKey(high, low), key);
        Assert.Equal((of16, of256, of1000, 0), (key.Shard(16), key.Shard(256), key.Shard(1_000), key.Shard(1)));
    }

    [Fact]
    public void The_key_of_no_bytes_is_the_hash_of_nothing() =>
        Assert.Equal(new ItemKey(0xe3b0c44298fc1c14, 0x9afbf4c8996fb924), ItemKey.OfBytes([]));

    [Fact]
    public void The_longest_id_has_a_key() =>
        Assert.Equal(ItemKey.OfBytes([.. Enumerable.Repeat((byte)'x', Names.MaxItemIdBytes)]), ItemKey.Of(new string('x', Names.MaxItemIdBytes)));

    [Fact]
    public void Numbered_ids_spread_evenly_over_the_shards()
    {
        // 16,000 ids in 16 shards: 1,000 each, standard deviation 31; six of them are never passed by an even hash.
        var counts = new int[16];
        for (var i = 0; i < 16_000; i++)
        {
            counts[ItemKey.Of($"train-{i}").Shard(16)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 814, 1_186));
    }
}
