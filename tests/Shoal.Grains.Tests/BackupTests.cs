using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using static Shoal.Grains.Tests.SiloTests;

namespace Shoal.Grains.Tests;

/// <summary>Backups of a real silo that goes on working, to a folder and to a container.</summary>
[Collection(SiloCollections.Second)]
public sealed class BackupTests(Azurite azurite)
{
    [Theory]
    [InlineData("files")]
    [InlineData("blobs")]
    public async Task A_backup_taken_under_load_holds_what_was_acknowledged_before_and_comes_back_beside_the_original_and_in_its_place(string store)
    {
        using var folder = new TempFolder();
        string[] arguments = string.Equals(store, "blobs", StringComparison.Ordinal)
            ? ["--log", "Warning", "--blobs", await azurite.ConnectionStringAsync(), "--container", "backed-up"]
            : ["--log", "Warning"];
        var place = string.Equals(store, "blobs", StringComparison.Ordinal) ? "blob:backups" : folder.Sub("backups");
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, [.. arguments, "--erase-seconds", "1"]);
        await using ShoalClient client = await silo.ConnectAsync();
        ItemUpload[] items = Blobs(1_500, 1);
        await client.CreateDatasetAsync("blobs", Settings);
        await StoreAsync(client, items, IngestOutcome.Accepted);
        DatasetStatus before = await Waiting.UntilAsync(client, silo, "a version", s => s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0, "blobs");
        await client.NameClusterAsync("blobs", before.Training.Version!.Clusters.First(c => c > 0), "mine");
        Assert.Empty(await client.DeleteAsync("blobs", [items[0].Id]));

        // Items come, go and are learned from while it is taken.
        using var stop = new CancellationTokenSource();
        Task load = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                ItemUpload[] more = [.. Blobs(20, 100 + i).Select(item => item with { Id = $"load/{i}/{item.Id}" })];
                await StoreAsync(client, more, IngestOutcome.Accepted);
                await client.DeleteAsync("blobs", [more[0].Id]);
            }
        });
        await client.BeginBackupAsync("blobs", place);
        BackupStatus taken = await client.WaitForBackupAsync("blobs");
        await stop.CancelAsync();
        await load;
        Assert.True(taken.Objects > 10 && taken.Bytes > 1_500 * 256, $"{taken}");
        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => client.BeginBackupAsync("blobs", place))).Kind);

        await client.BeginRestoreAsync("twin", place, "blobs");
        await client.WaitForBackupAsync("twin");
        await CheckAsync("twin");
        Assert.Contains("twin", await client.ListDatasetsAsync());
        await StoreAsync(client, Blobs(100, 9), IngestOutcome.Accepted, "twin");

        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => client.BeginRestoreAsync("blobs", place))).Kind);
        await client.DeleteDatasetAsync("blobs");
        await client.BeginRestoreAsync("blobs", place);
        await client.WaitForBackupAsync("blobs");
        await CheckAsync("blobs");

        async Task CheckAsync(string dataset)
        {
            DatasetStatus status = await Waiting.UntilAsync(client, silo, "everything to be assigned", s => s.Shards.Sum(x => x.Pending) == 0 && s.Training.Version is not null, dataset);
            Assert.True(status.Training.Version!.Version >= before.Training.Version!.Version, $"version {status.Training.Version.Version}");
            Assert.All(status.Shards, shard => Assert.True(status.Training.Cursors[shard.Shard].Next <= shard.End));
            Assert.Equal(ItemState.Deleted, (await client.GetAsync(dataset, items[0].Id)).State);
            Assert.All(await client.GetManyAsync(dataset, [.. items.Skip(1).Select(i => i.Id)]), answer => Assert.True(answer.State is ItemState.Assigned or ItemState.Outlier, $"{answer}"));
            Assert.Equal(items[1].Bytes, (await client.GetContentAsync(dataset, items[1].Id))!.Bytes);
            Assert.Contains(await client.ClustersAsync(dataset), c => c.Name is "mine");
        }
    }

    [Fact]
    public async Task What_a_removed_dataset_left_behind_is_no_part_of_one_that_is_restored_under_its_name()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Critical");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings with { Shards = 1, IdleRehearsalSteps = 0 });
        ItemUpload[] items = Blobs(300, 1);
        await StoreAsync(client, items, IngestOutcome.Accepted);
        await client.BeginBackupAsync("blobs", folder.Sub("backups"));
        await client.WaitForBackupAsync("blobs");
        await client.DeleteDatasetAsync("blobs");

        // As a shard leaves it that ended a segment while its dataset was removed.
        var log = Directory.CreateDirectory(Path.Combine(folder.Path, "store", "datasets", "blobs", "shards", "0000", "log"));
        await File.WriteAllBytesAsync(Path.Combine(log.FullName, "00000002.seg"), new byte[76]);
        await client.BeginRestoreAsync("blobs", folder.Sub("backups"));
        await client.WaitForBackupAsync("blobs");
        Assert.DoesNotContain(await client.GetManyAsync("blobs", [.. items.Select(item => item.Id)]), answer => answer.State is ItemState.Unknown);
    }

    [Fact]
    public async Task A_damaged_or_foreign_backup_is_refused_and_nothing_is_left_of_it()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Critical");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings with { Shards = 2, IdleRehearsalSteps = 0 });
        await StoreAsync(client, Blobs(300, 1), IngestOutcome.Accepted);
        var place = folder.Sub("backups");
        await client.BeginBackupAsync("blobs", place);
        await client.WaitForBackupAsync("blobs");

        var segment = Path.Combine(place, "blobs", "objects", "shards", "0001", "log", "00000001.seg");
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[5_000] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        Assert.Contains("00000001.seg' of the backup is damaged", await FailureAsync("twin", place, "blobs"), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(segment, bytes[..5_000]);
        Assert.Contains("missing or too short", await FailureAsync("twin", place, "blobs"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "store", "datasets", "twin")) && Directory.EnumerateFiles(Path.Combine(folder.Path, "store", "datasets", "twin"), "*", SearchOption.AllDirectories).Any());
        Assert.Equal(["blobs"], await client.ListDatasetsAsync());

        var description = Path.Combine(place, "blobs", "backup.json");
        await File.WriteAllTextAsync(description, (await File.ReadAllTextAsync(description)).Replace("\"format\": 1", "\"format\": 99", StringComparison.Ordinal));
        Assert.Contains("has format 99", (await Assert.ThrowsAsync<ShoalException>(() => client.BeginRestoreAsync("twin", place, "blobs"))).Message, StringComparison.Ordinal);
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.BeginRestoreAsync("twin", place, "other"))).Kind);
        Assert.Equal(ShoalErrorKind.Invalid, (await Assert.ThrowsAsync<ShoalException>(() => client.BeginBackupAsync("blobs", "relative/folder"))).Kind);
        Assert.Contains("--blobs", (await Assert.ThrowsAsync<ShoalException>(() => client.BeginBackupAsync("blobs", "blob:backups"))).Message, StringComparison.Ordinal);
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.BeginBackupAsync("no-such", place))).Kind);

        async Task<string> FailureAsync(string dataset, string source, string name)
        {
            await client.BeginRestoreAsync(dataset, source, name);
            return (await Assert.ThrowsAsync<ShoalException>(() => client.WaitForBackupAsync(dataset))).Message;
        }
    }
}
