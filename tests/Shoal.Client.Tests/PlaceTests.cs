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
}
