using System.Net;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using Shoal.Web.Tests;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>A webhook on a real silo: it goes on where it was after a kill, and is gone with its dataset.</summary>
[Collection(SiloCollections.Second)]
public sealed class WebhookTests
{
    private static readonly string[] Networks = ["--log", "Warning", "--webhook-networks", "127.0.0.0/8"];

    [Fact]
    public async Task Every_change_arrives_over_failures_and_a_kill_and_nothing_comes_after_the_dataset()
    {
        using var folder = new TempFolder();
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        CreatedWebhook created;
        ItemUpload[] items = Blobs(300, 1);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, Networks))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("blobs", Settings);
            created = await client.CreateWebhookAsync("blobs", new NewWebhook { Url = receiver.Url, Topics = [WebhookTopics.Items] });
            Assert.Equal("ready", (await receiver.NextAsync()).Type);
            receiver.Answer(HttpStatusCode.ServiceUnavailable);
            await StoreAsync(client, items, IngestOutcome.Accepted);
            Received failed = await receiver.NextAsync();
            Received again = await receiver.NextAsync();
            Assert.Equal((failed.Id, failed.Body), (again.Id, again.Body));
            Assert.True(again.IsSignedWith(created.Secret));
            for (var told = new HashSet<string?>(again.Items); told.Count < items.Length;)
            {
                told.UnionWith((await receiver.NextAsync()).Items);
            }

            await silo.KillAsync();
        }

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, Networks))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.DeleteAsync("blobs", [items[7].Id]);

            // What was sent in the last seconds may come again, and nothing of before.
            Received next;
            do
            {
                next = await receiver.NextAsync();
                Assert.Equal("changes", next.Type);
                Assert.True(next.IsSignedWith(created.Secret));
            }
            while (!next.Body.Contains($"\"id\":\"{items[7].Id}\"", StringComparison.Ordinal) || !next.Body.Contains("\"deleted\"", StringComparison.Ordinal));

            Assert.Equal(created.Webhook.Id, Assert.Single(await client.ListWebhooksAsync("blobs")).Id);

            await client.DeleteDatasetAsync("blobs");
            await client.CreateDatasetAsync("blobs", Settings);
            Assert.Empty(await client.ListWebhooksAsync("blobs"));
            Assert.DoesNotContain(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories), file => file.Contains(created.Webhook.Id, StringComparison.Ordinal));
        }
    }
}
