using Shoal.Client;
using Shoal.Client.Tests.Snippets;
using Shoal.Contracts;
using Shoal.Storage;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>The code of the how-to pages does against a real silo what the pages say.</summary>
[Collection(SiloCollections.Second)]
public sealed class HowToTests
{
    [Fact]
    public async Task What_the_pages_show_runs_against_a_real_silo()
    {
        var folder = Directory.CreateTempSubdirectory("shoal-how-to-");
        try
        {
            string images = Directory.CreateDirectory(Path.Combine(folder.FullName, "images")).FullName;
            for (var i = 0; i < 200; i++)
            {
                await File.WriteAllBytesAsync(Path.Combine(images, $"{i:D3}.png"), TestPictures.Png(28, 28, i));
            }

            await using SiloProcess silo = await SiloProcess.StartAsync(Path.Combine(folder.FullName, "silo"), "--log", "Warning");
            await using ShoalClient client = await silo.ConnectAsync();
            Assert.True(await IngestSnippets.CreateAsync(client, "created"));
            await client.DeleteDatasetAsync("created");
            // The first version of so few items comes when training rests.
            await client.CreateDatasetAsync("how-to", new DatasetSettings { Height = 28, Width = 28, Channels = 1, RoundSeconds = 1, IdleRehearsalSteps = 5 });
            Assert.Equal((200, 0), await IngestSnippets.IngestAsync(client, "how-to", images));
            Assert.True((await IngestSnippets.PutAsync(client, "how-to", TestPictures.Png(30, 30, 1))).IsStored);
            await StreamSnippets.ProduceAsync(client.Cluster, "how-to", [Upload("streamed", 300), Upload("by-hand", 301)]);

            DatasetStatus status = await Waiting.UntilAsync(client, silo, "all of it assigned", s => s.Shards.Sum(x => x.Assigned) == 203, "how-to");
            Assert.Contains("sure", await QuerySnippets.QueryAsync(client, "how-to", "000.png"), StringComparison.Ordinal);
            Assert.Contains((await QuerySnippets.ThroughTheGrainAsync(client.Cluster, "how-to", "streamed"))!.Value, status.Training.Version!.Clusters);
            Assert.Equal(5, (await QuerySnippets.SimilarAsync(client, "how-to", "by-hand")).Items.Length);
            ClusterSummary[] clusters = await QuerySnippets.ClustersAsync(client, "how-to");
            Assert.Equal("the usual", (await client.ClustersAsync("how-to")).Single(c => c.Id == clusters[0].Id).Name);
            Assert.Equal(2, (await QuerySnippets.ClassifyAsync(client, "how-to", new[] { Upload("x", 1), Upload("y", 2) }.ToAsyncEnumerable())).Count);
            Assert.Equal(203, (await client.StatusAsync("how-to")).Shards.Sum(s => s.Items));
            await WholeAsync(client, "how-to", 203);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // What is read as a whole: listings, exports, the model's file.
    private static async Task WholeAsync(ShoalClient client, string dataset, int items)
    {
        Assert.Equal(items, await client.AllItemsAsync(dataset, new ItemFilter { Newest = true }).Select(item => item.Id).Distinct(StringComparer.Ordinal).CountAsync());
        using var embeddings = new MemoryStream();
        await client.ExportAsync(dataset, ExportFormat.Csv, ExportContent.Embeddings, embeddings);
        Assert.Equal(items + 1, embeddings.ToArray().Count(value => value == '\n'));
        ModelDescription published = await client.ModelAsync(dataset);
        using var model = new MemoryStream();
        await client.DownloadModelAsync(dataset, published.Version, model);
        Assert.Equal(published.Bytes, model.Length);
        Assert.Contains(SafeTensors.Read(model.ToArray()).Tensors, tensor => tensor.Name is "prototypes");
        ClusterDetails cluster = await client.ClusterAsync(dataset, published.Clusters.First(id => id > 0));
        Assert.Contains(cluster.History, happened => happened.Kind is "born" or "named");
    }

    private static ItemUpload Upload(string id, int seed) => new() { Id = id, MediaType = "image/png", Bytes = TestPictures.Png(28, 28, seed) };
}
