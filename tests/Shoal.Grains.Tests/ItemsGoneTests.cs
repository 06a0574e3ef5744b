using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>Items that were deleted, that expired, or whose bytes were damaged, in a real silo.</summary>
[Collection(SiloCollections.First)]
public sealed class ItemsGoneTests
{
    [Fact]
    public async Task A_deleted_item_is_known_to_nobody_any_more_also_after_a_restart_and_the_learner_forgets_it()
    {
        using var folder = new TempFolder();
        ItemUpload[] items = Blobs(1_500, 1);
        string[] doomed = [.. items.Take(300).Select(i => i.Id)];
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning", "--erase-seconds", "1"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("blobs", Settings);
            await StoreAsync(client, items, IngestOutcome.Accepted);
            DatasetStatus status = await Waiting.UntilAsync(client, silo, "everything to be learned", s =>
                s.Training is { Activity: "idle", Version: not null } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
            var rehearsed = status.Training.Progress!.ReplayCount;
            Assert.Equal(["never"], await client.DeleteAsync("blobs", [.. doomed, "never", doomed[0]]));
            await CheckAsync(client);
            Assert.Empty(await client.DeleteAsync("blobs", doomed));

            // It rests, and forgets all the same; the checkpoint that follows is without them.
            status = await Waiting.UntilAsync(client, silo, "the learner to forget", s =>
                s.Training is { Activity: "idle" } && s.Training.Progress!.ReplayCount < rehearsed, "blobs");
            Assert.InRange(status.Training.Progress!.ReplayCount, 1_100, 1_200);
            await Waiting.UntilAsync(client, silo, "the bytes to be gone", _ => !AnyLogHolds(folder.Path, items[0].Bytes), "blobs");
            Assert.True(AnyLogHolds(folder.Path, items[1_000].Bytes));
            await silo.KillAsync();
        }

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await CheckAsync(client);

            // The same id is a new item.
            Assert.Equal(IngestOutcome.Accepted, (await client.PutAsync("blobs", items[0] with { Bytes = items[1_000].Bytes })).Outcome);
            await Waiting.UntilAsync(client, silo, "the new item to be assigned", s => s.Shards.Sum(x => x.Assigned + x.Outliers) == 1_201, "blobs");
            Assert.Equal(items[1_000].Bytes, (await client.GetContentAsync("blobs", doomed[0]))!.Bytes);
        }

        async Task CheckAsync(ShoalClient client)
        {
            Assert.All(await client.GetManyAsync("blobs", doomed), answer => Assert.Equal(ItemState.Deleted, answer.State));
            Assert.Null(await client.GetContentAsync("blobs", doomed[0]));
            Assert.Null(await client.GetEmbeddingAsync("blobs", doomed[0]));
            DatasetStatus status = await client.StatusAsync("blobs");
            Assert.Equal((1_200, 1_200), (status.Shards.Sum(s => s.Items), status.Shards.Sum(s => s.Assigned + s.Outliers)));
            Assert.Equal(1_200, (await client.ClustersAsync("blobs")).Sum(c => c.Count) + status.Shards.Sum(s => s.Outliers));
            SimilarAnswer similar = await client.SimilarAsync("blobs", items[500].Id, 1_000);
            Assert.DoesNotContain(similar.Items, item => doomed.Contains(item.Id));
            Assert.DoesNotContain((await client.ClustersAsync("blobs")).SelectMany(c => c.Exemplars), exemplar => doomed.Contains(exemplar.Id));
        }
    }

    [Fact]
    public async Task A_damaged_shard_says_where_and_the_others_go_on_until_it_is_repaired()
    {
        using var folder = new TempFolder();
        ItemUpload[] items = Blobs(800, 1);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            await client.CreateDatasetAsync("blobs", Settings with { IdleRehearsalSteps = 0 });
            await StoreAsync(client, items, IngestOutcome.Accepted);
            Assert.Empty(await client.RepairAsync("blobs"));
            await silo.KillAsync();
        }

        // One bit of the third item of shard 2; and no index that would keep the log from being read.
        var segment = Path.Combine(folder.Path, "store", StoreNames.ShardLog("blobs", 2), "00000001.seg");
        Directory.Delete(Path.Combine(folder.Path, "sidecars", "blobs", "0002"), recursive: true);
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[1_200] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Critical"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            DatasetStatus status = await client.StatusAsync("blobs");
            Assert.All(status.Shards.Where(s => s.Shard != 2), s => Assert.Null(s.Problem));
            var problem = status.Shards.Single(s => s.Shard == 2).Problem;
            Assert.Contains("segment 1 offset", problem, StringComparison.Ordinal);
            Assert.Contains("./shoal repair blobs --shard 2", problem, StringComparison.Ordinal);
            ItemUpload lost = items.First(i => ItemKey.Of(i.Id).Shard(Settings.Shards) == 2);
            Assert.Equal(ShoalErrorKind.Damaged, (await Assert.ThrowsAsync<ShoalException>(() => client.GetAsync("blobs", lost.Id))).Kind);
            await Waiting.UntilAsync(client, silo, "the other shards to be assigned", s => s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0, "blobs");

            ShardDamage damage = Assert.Single(await client.RepairAsync("blobs"));
            Assert.Equal((2, 1, 1L), (damage.Shard, damage.Segment, damage.Items));
            Assert.True(File.Exists(Path.Combine(folder.Path, "store", damage.SavedAs)));
            Assert.Empty(await client.RepairAsync("blobs", 2));
            status = await client.StatusAsync("blobs");
            Assert.Equal((799, 800), (status.Shards.Sum(s => s.Items), status.Shards.Sum(s => s.End)));
            Assert.All(status.Shards, s => Assert.Null(s.Problem));
            await StoreAsync(client, Blobs(200, 2), IngestOutcome.Accepted);
            await Waiting.UntilAsync(client, silo, "all that is left to be assigned", s => s.Shards.Sum(x => x.Assigned + x.Outliers) == 999, "blobs");
        }
    }

    [Fact]
    public async Task The_oldest_items_go_when_there_are_too_many_bytes_and_all_when_they_are_too_old()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning", "--erase-seconds", "1");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings with { Shards = 2, RetainBytes = 1_000_000 });
        ItemUpload[] items = Blobs(4_000, 1);
        await StoreAsync(client, items, IngestOutcome.Accepted);
        DatasetStatus status = await Waiting.UntilAsync(client, silo, "the oldest items to go", s => s.Shards.All(x => x.Items is > 1_000 and < 1_700), "blobs");
        Assert.Equal(4_000, status.Shards.Sum(s => s.End));
        ItemAnswer[] answers = await client.GetManyAsync("blobs", [.. items.Select(i => i.Id)]);
        foreach (ShardStatus shard in (await client.StatusAsync("blobs")).Shards)
        {
            // What is left of a shard is what came last.
            long[] kept = [.. answers.Where(a => a.Shard == shard.Shard && a.State != ItemState.Deleted).Select(a => a.Sequence).Order()];
            Assert.Equal(Enumerable.Range((int)(shard.End - shard.Items), (int)shard.Items).Select(i => (long)i), kept);
        }

        await client.ChangeDatasetAsync("blobs", new DatasetChange { RetainDays = 1e-6 });
        await Waiting.UntilAsync(client, silo, "all items to go", s => s.Shards.Sum(x => x.Items) == 0 && s.Shards.Sum(x => x.LogBytes) < 100_000, "blobs");
        Assert.Equal(IngestOutcome.Accepted, (await client.PutAsync("blobs", items[0])).Outcome);
    }

    private static bool AnyLogHolds(string folder, byte[] bytes) =>
        Directory.EnumerateFiles(Path.Combine(folder, "store"), "*.seg", SearchOption.AllDirectories).Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(bytes) >= 0);
}
