using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Names in a real silo when what they name changes.</summary>
[Collection(SiloCollections.Second)]
public sealed class NameMoveTests
{
    private const int Examples = 5;

    [Fact]
    public async Task A_name_goes_with_the_items_that_show_it_and_an_event_says_so()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", SiloTests.Settings);
        await SiloTests.StoreAsync(client, SiloTests.Blobs(2_500, 1, firstCorner: 0, corners: 3), IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "a first version", s => s.Training is { Activity: "idle", Version: not null } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
        ClusterSummary[] clusters = await client.ClustersAsync("blobs", exemplars: 9);
        (string[] moving, string[] target, string[] staying) = (ExamplesOf(clusters[0]), ExamplesOf(clusters[1]), ExamplesOf(clusters[2]));
        await client.NameByExamplesAsync("blobs", "moving", moving);
        await client.NameByExamplesAsync("blobs", "staying", staying);

        // What the one name's examples show is shown by other items, too, whose cluster bears no name; what the other's show stays as it is.
        ItemContent[] shown = await Task.WhenAll(target.Select(async id => (await client.GetContentAsync("blobs", id))!));
        await SiloTests.StoreAsync(
            client, [.. shown.Zip(moving, (content, id) => new ItemUpload { Id = id, MediaType = content.MediaType, Bytes = content.Bytes, Replace = true })], IngestOutcome.Replaced);
        Assert.Equal([clusters[0].Id, clusters[2].Id], (await client.ClustersAsync("blobs")).Where(c => c.Name is not null).OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => c.Id));

        // A kind that it has not seen makes another version.
        await SiloTests.StoreAsync(client, SiloTests.Blobs(1_500, 2), IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "everything to be assigned by another version", s =>
            s.Training is { Activity: "idle", Version.Version: > 1 } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");

        Assert.All(await NamesAsync([.. target, .. moving]), name => Assert.Equal("moving", name));
        Assert.All(await NamesAsync(staying), name => Assert.Equal("staying", name));
        LineageEvent moved = Assert.Single(await client.EventsAsync("blobs"), e => e.Kind is "name moved");
        Assert.Contains("'moving' followed its examples", moved.Reason, StringComparison.Ordinal);
        Assert.Equal((await client.GetAsync("blobs", target[0])).Cluster, moved.Cluster);

        static string[] ExamplesOf(ClusterSummary cluster) => [.. cluster.Exemplars.Take(Examples).Select(e => e.Id)];
        async Task<string?[]> NamesAsync(string[] items) => [.. (await client.GetManyAsync("blobs", items)).Select(answer => answer.ClusterName)];
    }
}
