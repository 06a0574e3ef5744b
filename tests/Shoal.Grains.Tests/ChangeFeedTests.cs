using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>A reader of the change feed, over kills, lost sidecars and deletions, knows at the end what queries answer.</summary>
[Collection(SiloCollections.First)]
public sealed class ChangeFeedTests
{
    // Each by the bytes of the next; ids lie in any shard.
    private static readonly int[] Replaced = [200, 210, 220, 230];

    [Fact]
    public async Task A_reader_that_goes_on_from_its_cursor_knows_what_queries_answer_whatever_happened_in_between()
    {
        using var folder = new TempFolder();
        var reader = new Reader();
        ItemUpload[] items = Blobs(1_000, 1);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning", "--erase-seconds", "1"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("blobs", Settings);
            await reader.ReadAsync(client);
            await StoreAsync(client, items, IngestOutcome.Accepted);
            await SettleAsync(client, silo);
            await reader.ReadAsync(client);
            Assert.Contains("published", reader.Events);
            await CheckAsync(client, reader);
            Assert.Equal(0, reader.Told(await Reader.CountAsync(client, reader.Cursor)));

            Assert.Empty(await client.DeleteAsync("blobs", [.. items.Take(100).Select(i => i.Id)]));
            foreach (var i in Replaced)
            {
                Assert.Equal(IngestOutcome.Replaced, (await client.PutAsync("blobs", items[i] with { Bytes = items[i + 1].Bytes, Replace = true })).Outcome);
            }

            await silo.KillAsync();
        }

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Information", "--erase-seconds", "1"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await SettleAsync(client, silo);
            var told = await reader.ReadAsync(client);

            // A hundred deletions and what was replaced, told twice at most; what had been told before the kill is not told again.
            Assert.InRange(told, 100 + Replaced.Length, 900);
            await CheckAsync(client, reader);
            await client.NameClusterAsync("blobs", (await client.ClustersAsync("blobs"))[0].Id, "first");
            await reader.ReadAsync(client);
            Assert.Equal("named", reader.Events[^1]);

            // Of one that was replaced: other bytes, then its cluster. Of one that was not: its cluster alone. All reach back, but for shards that say that they have lost their ring.
            ItemHistory[] replaced = await Task.WhenAll(Replaced.Select(i => client.HistoryAsync("blobs", items[i].Id)));
            ItemHistory[] whole = await Task.WhenAll(Replaced.Select(i => client.HistoryAsync("blobs", items[i + 100].Id)));
            foreach (ItemHistory history in replaced.Concat(whole).Where(history => !history.ReachesBack))
            {
                Assert.True(silo.HasPrinted("changes before epoch"), $"{history.Id} does not reach back, and no shard says why:\n{silo.Output}");
            }

            ItemHistory[] back = [.. replaced.Concat(whole).Where(history => history.ReachesBack)];
            Assert.NotEmpty(back);
            Assert.All(back.Intersect(replaced), history => Assert.Equal(ItemState.Pending, history.Changes[^1].State));
            Assert.All(back.Intersect(whole), history => Assert.Equal(ItemState.Pending, history.Changes[^1].StateBefore));
            foreach (ItemHistory history in back)
            {
                ItemAnswer now = await client.GetAsync("blobs", history.Id);
                Assert.Equal((now.State, now.Cluster, now.ClusterName), (history.Changes[0].State, history.Changes[0].Cluster, history.Changes[0].ClusterName));
            }

            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.HistoryAsync("blobs", items[0].Id))).Kind);
            await silo.KillAsync();
        }

        // All that is local is lost: cursors are of a feed that is no more.
        Directory.Delete(Path.Combine(folder.Path, "sidecars"), recursive: true);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            Assert.Empty(await client.DeleteAsync("blobs", [items[500].Id]));
            await SettleAsync(client, silo);
            await reader.ReadAsync(client);
            await CheckAsync(client, reader);

            var fresh = new Reader();
            await fresh.ReadAsync(client);
            await CheckAsync(client, fresh);
            Assert.DoesNotContain(items[500].Id, fresh.Items.Where(i => i.Value.State == ItemState.Deleted).Select(i => i.Key));
        }
    }

    private static Task<DatasetStatus> SettleAsync(ShoalClient client, SiloProcess silo) => Waiting.UntilAsync(client, silo, "everything to be assigned", s =>
        s.Training is { Activity: "idle", Version: not null } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");

    private static async Task CheckAsync(ShoalClient client, Reader reader)
    {
        string[] ids = [.. Blobs(1_000, 1).Select(i => i.Id)];
        foreach (ItemAnswer answer in await client.GetManyAsync("blobs", ids))
        {
            (ItemState State, long? Cluster) known = reader.Items.GetValueOrDefault(answer.Id, (ItemState.Deleted, null));
            Assert.Equal((answer.Id, answer.State, answer.Cluster), (answer.Id, known.State, known.Cluster));
        }
    }

    /// <summary>What somebody knows who reads nothing but the feed.</summary>
    private sealed class Reader
    {
        private readonly Dictionary<(int Shard, long Sequence), string> _ids = [];

        public Dictionary<string, (ItemState State, long? Cluster)> Items { get; } = new(StringComparer.Ordinal);

        public List<string> Events { get; } = [];

        public string? Cursor { get; private set; }

        public async Task<int> ReadAsync(ShoalClient client)
        {
            var told = 0;
            for (var more = true; more;)
            {
                ChangePage page = await client.ChangesAsync("blobs", Cursor, limit: 64);
                told += Told(page.Changes);
                (Cursor, more) = (page.Cursor, page.More);
            }

            return told;
        }

        public static async Task<IReadOnlyList<Change>> CountAsync(ShoalClient client, string? cursor) => (await client.ChangesAsync("blobs", cursor)).Changes;

        public int Told(IReadOnlyList<Change> changes)
        {
            foreach (Change change in changes)
            {
                if (change.Event is { } happened)
                {
                    Events.Add(happened.Kind);
                }
                else if (change.Item is { } item && (item.Id ?? _ids.GetValueOrDefault((item.Shard, item.Sequence))) is { } id)
                {
                    _ids[(item.Shard, item.Sequence)] = id;
                    Items[id] = (item.State, item.Cluster);
                }
            }

            return changes.Count(change => change.Item is not null);
        }
    }
}
