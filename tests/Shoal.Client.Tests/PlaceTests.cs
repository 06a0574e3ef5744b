using CsCheck;
using Shoal.Contracts;

namespace Shoal.Client.Tests;

/// <summary>Who runs what, and samples of embeddings.</summary>
public sealed class PlaceTests(SiloFixture fixture)
{
    [Fact]
    public async Task The_silo_is_listed_and_shards_that_were_asked_are_open_on_it()
    {
        (string name, _) = await fixture.DatasetAsync(shards: 3);
        ItemUpload item = new()
        {
            Id = "a",
            MediaType = MediaTypes.RawImage,
            Bytes = [1],
        };
        IngestResult stored = await fixture.Client.PutAsync(name, item, TestContext.Current.CancellationToken);

        SiloDescription silo = Assert.Single(await fixture.Client.SilosAsync(TestContext.Current.CancellationToken));
        DatasetPlaces places = await fixture.Client.PlacesAsync(name, TestContext.Current.CancellationToken);

        Assert.True(silo.IsActive, silo.Status);
        Assert.Equal(3, places.Shards.Count);
        Assert.Equal(silo.Id, places.Shards[stored.Shard]);
        Assert.Empty(places.Seats);
    }

    [Fact]
    public void A_sample_takes_no_more_than_its_share_and_no_less_than_a_fourth_of_it() =>
        Gen.Select(Gen.Long[0, 10_000_000], Gen.Int[1, 5_000]).Sample((end, share) =>
        {
            int block = Math.Min(share, 125);
            long apart = ShoalClient.SampleDistance(end, block, share);
            long blocks = Math.Max(1, (end + apart - 1) / apart);
            Assert.InRange(blocks * block, Math.Min(end, share) / 4, share);

            // Blocks of a dataset that grew are among those of before, or between them.
            long ratio = apart / block;
            Assert.Equal(0L, ratio & (ratio - 1));
        });

    [Fact]
    public void A_sample_of_a_shard_is_whole_and_reads_no_item_twice() =>
        Gen.Select(Gen.Long[0, 1_000_000], Gen.Int[1, 5_000]).Sample((end, share) =>
        {
            int block = Math.Min(share, 125);
            IReadOnlyList<(long From, int Items)> blocks = ShoalClient.SampleBlocks(end, block, share);
            long read = blocks.Sum(at => Math.Max(0, Math.Min(at.Items, end - at.From)));

            // A share that is no number of blocks may lack less than one.
            Assert.InRange(read, Math.Min(end, share) - (share % block == 0 ? 0 : block - 1), Math.Min(end, share));
            (long From, int Items)[] ordered = [.. blocks.OrderBy(at => at.From)];
            Assert.All(ordered.Zip(ordered.Skip(1)), pair => Assert.True(pair.First.From + pair.First.Items <= pair.Second.From, $"{pair}"));
        });

    // 16 shards of 12,000 items, and 10,000 points on the map.
    [Fact]
    public void What_blocks_at_even_distances_leave_of_a_share_is_read_between_them() =>
        Assert.Equal([(0L, 125), (250L, 125), (500L, 125), (125L, 125), (625L, 125)], ShoalClient.SampleBlocks(750, 125, 625));

    [Fact]
    public void Blocks_at_even_distances_stay_while_a_shard_grows_to_twice_its_size()
    {
        IReadOnlyList<(long From, int Items)> before = ShoalClient.SampleBlocks(1_001, 125, 625);
        Assert.Equal([0, 250, 500, 750, 1_000], before.Select(at => at.From).Take(5));
        Assert.Equal([0, 250, 500, 750, 1_000], ShoalClient.SampleBlocks(1_250, 125, 625).Select(at => at.From));
        Assert.Equal([0, 500, 1_000], ShoalClient.SampleBlocks(1_251, 125, 625).Select(at => at.From).Take(3));
    }
}
