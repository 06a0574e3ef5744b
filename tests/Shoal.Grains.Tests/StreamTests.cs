using System.Collections.Concurrent;
using Orleans.Streams;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>Producers and subscribers of a dataset's Orleans stream, over the death of the silo.</summary>
[Collection(SiloCollections.Second)]
public sealed class StreamTests
{
    [Fact]
    public async Task A_silo_killed_while_producers_write_loses_nothing_acknowledged_and_a_subscriber_sees_all_of_it()
    {
        using var folder = new TempFolder();
        ItemUpload[] items = Blobs(4_000, 1);
        var acknowledged = new ConcurrentBag<string>();
        var first = new Observer();
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Critical"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("streamed", Settings with { IdleRehearsalSteps = 0 });
            await Stream(client).SubscribeAsync(first, LogToken.Beginning);
            using var stop = new CancellationTokenSource();
            Task[] producers = [.. items.Chunk(1_000).Select(part => Task.Run(() => ProduceAsync(client, part, acknowledged, stop.Token)))];
            while (acknowledged.Count < 400)
            {
                await Task.Delay(10);
            }

            await silo.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(producers);
        }

        Assert.InRange(acknowledged.Count, 400, items.Length - 1);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            Assert.All(await client.GetManyAsync("streamed", [.. acknowledged]), answer => Assert.NotEqual(ItemState.Unknown, answer.State));

            // One goes on from its token, another begins at the beginning; both know of all that the dataset holds.
            var (stored, again) = ((await client.StatusAsync("streamed")).Shards.Sum(s => s.Items), new Observer());
            await Stream(client).SubscribeAsync(first, first.Token ?? LogToken.Beginning);
            await Stream(client).SubscribeAsync(again, LogToken.Beginning);
            foreach (Observer observer in new[] { first, again })
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
                while (observer.Seen.Count < stored)
                {
                    Assert.False(patience.IsCancellationRequested, $"waiting for {stored} items; there are {observer.Seen.Count}");
                    await Task.Delay(20);
                }

                Assert.Empty(acknowledged.Except(observer.Seen.Keys, StringComparer.Ordinal));
                Assert.All(observer.Seen, seen => Assert.Equal(items.Single(i => string.Equals(i.Id, seen.Key, StringComparison.Ordinal)).Bytes, seen.Value));
            }
        }
    }

    private static IAsyncStream<ItemUpload> Stream(ShoalClient client) => client.Cluster.GetStreamProvider(StreamNames.Log).GetStream<ItemUpload>(StreamNames.Items, "streamed");

    private static async Task ProduceAsync(ShoalClient client, ItemUpload[] items, ConcurrentBag<string> acknowledged, CancellationToken stop)
    {
        foreach (ItemUpload[] batch in items.Chunk(10))
        {
            try
            {
                await Stream(client).OnNextBatchAsync(batch).WaitAsync(stop);
            }
            catch (Exception e) when (e is OperationCanceledException or ShoalException or TimeoutException or OrleansException)
            {
                // Nobody acknowledged these.
                return;
            }

            Array.ForEach(batch, item => acknowledged.Add(item.Id));
        }
    }

    private sealed class Observer : IAsyncBatchObserver<ItemUpload>
    {
        public ConcurrentDictionary<string, byte[]> Seen { get; } = new(StringComparer.Ordinal);

        public LogToken? Token { get; private set; }

        public Task OnNextAsync(IList<SequentialItem<ItemUpload>> items)
        {
            foreach (SequentialItem<ItemUpload> item in items)
            {
                Seen[item.Item.Id] = item.Item.Bytes;
                Token = (LogToken)item.Token;
            }

            return Task.CompletedTask;
        }

        public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

        public Task OnCompletedAsync() => Task.CompletedTask;
    }
}
