using Shoal.Client;
using Shoal.Client.Tests.Snippets;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>The code of the how-to pages does against a real silo what the pages say.</summary>
[Collection("silo")]
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
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ItemUpload Upload(string id, int seed) => new() { Id = id, MediaType = "image/png", Bytes = TestPictures.Png(28, 28, seed) };
}
