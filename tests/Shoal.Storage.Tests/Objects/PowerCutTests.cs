namespace Shoal.Storage.Tests;

/// <summary>SIGKILL cannot show a missing sync, since the page cache survives it. Here the power goes at any moment of a log's and a manifest's life.</summary>
public sealed class PowerCutTests : IDisposable
{
    private const int Cuts = 300;
    private const int CutsOfControls = 60;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Whatever_was_acknowledged_before_the_power_went_is_there()
    {
        PowerCuts cuts = await LiveAsync();
        Assert.Empty(await BrokenAsync(cuts, Cuts));
    }

    [Fact]
    public async Task A_store_that_syncs_no_data_is_found_out()
    {
        PowerCuts cuts = await LiveAsync();
        cuts.Ignored = happened => happened.Kind == PowerCuts.EventKind.Synced;
        Assert.NotEmpty(await BrokenAsync(cuts, CutsOfControls));
    }

    [Fact]
    public async Task A_store_that_does_not_sync_the_folder_after_a_rename_is_found_out()
    {
        PowerCuts cuts = await LiveAsync();
        cuts.Ignored = happened => happened.Kind == PowerCuts.EventKind.FolderSynced && happened.Path.EndsWith("model", StringComparison.Ordinal);
        IReadOnlyList<string> broken = await BrokenAsync(cuts, CutsOfControls);
        Assert.NotEmpty(broken);
        Assert.All(broken, what => Assert.Contains("manifest", what, StringComparison.Ordinal));
    }

    // Items are appended over several segments, deleted and erased; after each a manifest is swapped that names how many there are.
    private async Task<PowerCuts> LiveAsync()
    {
        string root = _folder.Sub("store");
        var cuts = new PowerCuts(root);
        using var store = new FileObjectStore(root, options: null, time: null, cuts);
        using var index = new ItemIndex(_folder.Sub("index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, "d/log", new ShardLogOptions { SegmentBytes = 8_192, BatchBytes = 4_096, MaxCallBytes = 4_096, ReadBytes = 4_096 }, TimeProvider.System, index, CancellationToken.None);
        string? tag = null;
        for (int i = 0; i < 40; i++)
        {
            await log.AppendAsync(Entries.Many(i, 1));
            cuts.Promise($"item {i}");
            tag = await store.PutAsync("d/model/manifest", BitConverter.GetBytes(i + 1), tag is null ? PutCondition.IfAbsent : PutCondition.IfMatch(tag));
            cuts.Promise($"manifest {i + 1}");
            if (i == 25)
            {
                await log.AppendAsync([LogEntry.Deletion(index.Get(3).IdHash)]);
                cuts.Promise("deleted 3");
                await log.RollAsync();
                await log.EraseAsync(index.Get(3).Position.Segment, new HashSet<long> { 3 });
                index.Erased([3]);
            }
        }

        return cuts;
    }

    /// <summary>What does not hold after one of many cuts.</summary>
    private async Task<IReadOnlyList<string>> BrokenAsync(PowerCuts cuts, int count)
    {
        var random = new Random(4213);
        var broken = new List<string>();
        for (int cut = 0; cut < count; cut++)
        {
            int moment = random.Next(cuts.Count + 1);
            string left = _folder.Sub($"cut-{cut}");
            cuts.Leave(moment, seed: cut, left);
            string[] promised = [.. cuts.Promises.Where(p => p.Moment <= moment).Select(p => p.What)];
            broken.AddRange((await CheckAsync(left, promised)).Select(what => $"cut {cut} after {moment} of {cuts.Count}: {what}"));
            Directory.Delete(left, recursive: true);
        }

        return broken;
    }

    private async Task<IReadOnlyList<string>> CheckAsync(string folder, string[] promised)
    {
        var broken = new List<string>();
        using var store = new FileObjectStore(folder, new FileObjectStoreOptions { Fsync = FsyncPolicy.None, WriteThreads = 1, ReadThreads = 1 });
        int manifests = promised.Count(p => p.StartsWith("manifest", StringComparison.Ordinal));
        StoredObject? manifest = await store.GetAsync("d/model/manifest");
        if (manifest is null ? manifests > 0 : manifest.Content.Length != sizeof(int) || BitConverter.ToInt32(manifest.Content) < manifests)
        {
            broken.Add($"manifest {manifests} was promised, there is {(manifest is null ? "none" : Convert.ToHexString(manifest.Content))}");
        }

        int items = promised.Count(p => p.StartsWith("item", StringComparison.Ordinal));
        using var indexFolder = new TempFolder();
        using var index = new ItemIndex(indexFolder.Path);
        try
        {
            await using ShardLog log = await ShardLog.OpenAsync(store, "d/log", new ShardLogOptions(), TimeProvider.System, index, CancellationToken.None);
            LogRecord[] records = [.. await log.ReadRangeAsync(0, 1_000, 1 << 20)];
            bool deleted = promised.Contains("deleted 3");
            for (int i = 0; i < items; i++)
            {
                LogRecord? record = Array.Find(records, r => r.Position.Sequence == i);
                if (i == 3 && deleted ? index.Get(3).Marks == ItemMarks.None : record is null ? i != 3 : !record.Bytes.Span.SequenceEqual(Entries.Many(i, 1)[0].Bytes))
                {
                    broken.Add($"item {i} of {items} is {(record is null ? "missing" : "another")}");
                }
            }
        }
        catch (StorageCorruptException e)
        {
            broken.Add(e.Message);
        }

        return broken;
    }
}
