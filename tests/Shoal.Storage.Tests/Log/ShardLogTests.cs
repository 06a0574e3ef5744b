namespace Shoal.Storage.Tests;

public sealed class ShardLogTests : IDisposable
{
    private const string Prefix = "datasets/digits/shards/0003/log";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly FileObjectStore _store;

    public ShardLogTests() => _store = new FileObjectStore(_folder.Sub("store"), new FileObjectStoreOptions { Fsync = FsyncPolicy.None });

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_was_appended_is_read_back_by_position_and_by_range_and_after_reopening()
    {
        LogEntry[] entries = Entries.Many(0, 50);
        LogPosition[] positions;
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            Assert.Equal(1, log.Epoch);
            positions = await log.AppendAsync(entries);
            Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), positions.Select(p => p.Sequence));
            await CheckAsync(log, index, entries, positions);
        }

        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            Assert.Equal(2, log.Epoch);
            Assert.Equal(50, log.NextSequence);
            await CheckAsync(log, index, entries, positions);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deleted_item_is_marked_also_by_an_index_that_is_built_anew_and_its_id_can_be_used_again(bool loseIndex)
    {
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            await log.AppendAsync([.. Entries.Many(0, 5), Entries.Of("item-2", version: 1)]);
            LogPosition[] positions = await log.AppendAsync([LogEntry.Deletion(Entries.IdHash("item-2")), LogEntry.Deletion(Entries.IdHash("item-4")), Entries.Of("item-4", version: 2)]);
            Assert.Equal([6, 6, 6], positions.Select(p => p.Sequence));
            Assert.Equal(7, log.NextSequence);
            Check(index);
        }

        if (loseIndex)
        {
            File.Delete(_folder.Sub("index/items.idx"));
        }

        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            Assert.Equal(7, log.NextSequence);
            Check(index);
            IReadOnlyList<LogRecord> records = await log.ReadRangeAsync(0, 10, int.MaxValue);
            Assert.Equal(Enumerable.Range(0, 7), records.Select(r => (int)r.Position.Sequence));
        }

        // Nothing of the deleted id stands in its tombstone.
        byte[] segment = await File.ReadAllBytesAsync(Directory.EnumerateFiles(_folder.Path, "00000001.seg", SearchOption.AllDirectories).Single());
        Assert.Equal(2, Occurrences(segment, "item-2"u8));

        static void Check(ItemIndex index)
        {
            ItemMarks[] marks = [.. Enumerable.Range(0, 7).Select(i => index.Get(i).Marks)];
            Assert.Equal([ItemMarks.None, ItemMarks.None, ItemMarks.Superseded, ItemMarks.None, ItemMarks.Deleted | ItemMarks.Superseded, ItemMarks.Deleted, ItemMarks.None], marks);
            Assert.True(index.TryFind(Entries.IdHash("item-2"), out long deleted));
            Assert.True(index.TryFind(Entries.IdHash("item-4"), out long again));
            Assert.Equal((5, 6), (deleted, again));
        }

        static int Occurrences(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> text)
        {
            int found = 0;
            for (int at; (at = bytes.IndexOf(text)) >= 0; bytes = bytes[(at + 1)..])
            {
                found++;
            }

            return found;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Erased_items_are_gone_byte_for_byte_and_all_others_stay_where_they_are(bool loseIndex)
    {
        LogEntry[] entries = Entries.Many(0, 20);
        LogPosition[] positions;
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            positions = await log.AppendAsync(entries);
            await log.AppendAsync([LogEntry.Deletion(entries[3].IdHash), LogEntry.Deletion(entries[19].IdHash)]);
            Assert.True(log.IsCurrent(1));
            await Assert.ThrowsAsync<ArgumentException>(() => log.EraseAsync(1, new HashSet<long> { 3 }));
            await log.RollAsync();
            Assert.False(log.IsCurrent(1));
            await log.EraseAsync(1, new HashSet<long> { 3, 19 });
            index.Erased([3, 19]);
            await log.EraseAsync(1, new HashSet<long> { 3 });
            await CheckErasedAsync(log, index);
            await log.AppendAsync([Entries.Of("later")]);
        }

        if (loseIndex)
        {
            File.Delete(_folder.Sub("index/items.idx"));
        }

        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index);
            Assert.Equal(21, log.NextSequence);
            await CheckErasedAsync(log, index);
        }

        byte[] all = [.. Directory.EnumerateFiles(_folder.Path, "*.seg", SearchOption.AllDirectories).SelectMany(File.ReadAllBytes)];
        Assert.Equal(-1, all.AsSpan().IndexOf(entries[3].Bytes));
        Assert.Equal(-1, all.AsSpan().IndexOf("item-19"u8));
        Assert.NotEqual(-1, all.AsSpan().IndexOf(entries[4].Bytes));

        async Task CheckErasedAsync(ShardLog log, ItemIndex index)
        {
            IReadOnlyList<LogRecord> records = await log.ReadRangeAsync(0, 20, int.MaxValue);
            Assert.Equal(Enumerable.Range(0, 20).Where(i => i is not (3 or 19)), records.Where(r => r.Id is not "later").Select(r => (int)r.Position.Sequence));
            Assert.All(records.Where(r => r.Id is not "later"), r => Assert.Equal(positions[r.Position.Sequence], r.Position));
            Assert.Equal(ItemMarks.Deleted | ItemMarks.Erased, index.Get(3).Marks);
            Assert.True(index.TryFind(entries[19].IdHash, out long sequence) && sequence == 19);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Expired_items_leave_a_segment_short_and_later_ones_readable(bool loseIndex)
    {
        ShardLogOptions small = new() { SegmentBytes = 4096 };
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index, small);
            for (int i = 0; i < 12; i++)
            {
                await log.AppendAsync([Entries.Of($"item-{i}", bytes: 1_000), .. i == 2 ? [LogEntry.Deletion(Entries.IdHash("item-1"))] : Array.Empty<LogEntry>()]);
            }

            int segment = index.Get(6).Position.Segment;
            Assert.True(segment > index.Get(0).Position.Segment && !log.IsCurrent(segment));
            await log.AppendAsync([LogEntry.Expiry(7)]);
            long before = log.DurableBytes;
            foreach (IGrouping<int, long> gone in Enumerable.Range(0, 7).Select(i => (long)i).GroupBy(i => index.Get(i).Position.Segment))
            {
                await log.EraseAsync(gone.Key, gone.ToHashSet());
                index.Erased(gone);
            }

            Assert.True(log.DurableBytes < before - 3_000, $"{before} bytes became {log.DurableBytes}");
            await CheckExpiredAsync(log, index);
            await log.AppendAsync([Entries.Of("later")]);
        }

        if (loseIndex)
        {
            File.Delete(_folder.Sub("index/items.idx"));
        }

        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index, small);
            Assert.Equal(13, log.NextSequence);
            Assert.Equal(log.DurableBytes, Directory.EnumerateFiles(_folder.Path, "*.seg", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length));
            await CheckExpiredAsync(log, index);
            Assert.Empty(await LogRepair.RunAsync(_store, Prefix, "removed", 13, TimeProvider.System));
        }

        static async Task CheckExpiredAsync(ShardLog log, ItemIndex index)
        {
            Assert.All(Enumerable.Range(0, 7), i => Assert.True(index.Get(i).Marks.HasFlag(ItemMarks.Deleted), $"{i}"));
            Assert.All(Enumerable.Range(7, 5), i => Assert.Equal(ItemMarks.None, index.Get(i).Marks));
            Assert.Equal(Enumerable.Range(7, 5), (await log.ReadRangeAsync(0, 12, int.MaxValue)).Select(r => (int)r.Position.Sequence));
        }
    }

    [Fact]
    public async Task Calls_that_wait_for_an_append_go_out_together_in_the_next()
    {
        HookedStore hooked = new(_store);
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await Open(index, store: hooked);
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        hooked.BeforeAppend = _ =>
        {
            reached.TrySetResult();
            return goOn.Task;
        };
        Task<LogPosition[]> first = log.AppendAsync([Entries.Of("first")]);
        await reached.Task.WaitAsync(Limit);
        Task<LogPosition[]>[] rest = [.. Enumerable.Range(0, 100).Select(i => log.AppendAsync([Entries.Of($"item-{i}")]))];
        int before = hooked.Appends;
        goOn.SetResult();
        await first.WaitAsync(Limit);
        LogPosition[][] positions = await Task.WhenAll(rest).WaitAsync(Limit);
        Assert.Equal(2, hooked.Appends - before);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), positions.Select(p => p[0].Sequence));
    }

    [Fact]
    public async Task A_full_queue_refuses_more_and_takes_more_once_it_is_written()
    {
        HookedStore hooked = new(_store);
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await Open(index, new ShardLogOptions { QueueItems = 10 }, hooked);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        hooked.BeforeAppend = _ => goOn.Task;
        Task<LogPosition[]> waiting = log.AppendAsync(Entries.Many(0, 8));
        LogFullException full = await Assert.ThrowsAsync<LogFullException>(() => log.AppendAsync(Entries.Many(8, 3)));
        Assert.True(full.IsTransient);
        Assert.Equal(8, full.Items);
        goOn.SetResult();
        await waiting.WaitAsync(Limit);
        Assert.Equal(8, (await log.AppendAsync(Entries.Many(8, 3)))[0].Sequence);
    }

    [Fact]
    public async Task A_failed_append_leaves_the_log_as_it_was()
    {
        HookedStore hooked = new(_store);
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await Open(index, store: hooked);
        await log.AppendAsync(Entries.Many(0, 2));
        hooked.BeforeAppend = _ => throw new StorageUnavailableException("disk full");
        await Assert.ThrowsAsync<StorageUnavailableException>(() => log.AppendAsync(Entries.Many(2, 2)));
        Assert.Equal(2, log.NextSequence);
        Assert.False(index.TryFind(Entries.IdHash("item-2"), out _));
        hooked.BeforeAppend = null;
        Assert.Equal(2, (await log.AppendAsync(Entries.Many(2, 2)))[0].Sequence);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_an_unknown_outcome_the_log_finds_out_whether_the_append_landed(bool landed)
    {
        HookedStore hooked = new(_store);
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await Open(index, store: hooked);
        Func<string, Task> breaks = _ => throw new StorageUnavailableException("no answer", outcomeUnknown: true);
        hooked.BeforeAppend = landed ? null : breaks;
        hooked.AfterAppend = landed ? breaks : null;
        await Assert.ThrowsAsync<StorageUnavailableException>(() => log.AppendAsync([Entries.Of("unsure")]));
        (hooked.BeforeAppend, hooked.AfterAppend) = (null, null);
        LogPosition next = (await log.AppendAsync([Entries.Of("next")]))[0];
        Assert.Equal(landed ? 1 : 0, next.Sequence);
        Assert.Equal(landed, index.TryFind(Entries.IdHash("unsure"), out _));
        Assert.Equal("next", (await log.ReadAsync(next)).Id);
        await AssertReopensWith(landed ? ["unsure", "next"] : ["next"]);
    }

    [Fact]
    public async Task A_log_rolls_by_size_and_by_appends_and_reads_across_segments()
    {
        using ItemIndex index = new(_folder.Sub("index"));
        await using (ShardLog log = await Open(index, new ShardLogOptions { SegmentBytes = 4096, SegmentAppends = 5 }))
        {
            for (int i = 0; i < 60; i++)
            {
                await log.AppendAsync(Entries.Many(i, 1, i < 30 ? 1000 : 10));
            }

            IReadOnlyList<LogRecord> all = await log.ReadRangeAsync(0, 1000, int.MaxValue);
            Assert.Equal(Enumerable.Range(0, 60).Select(i => $"item-{i}"), all.Select(r => r.Id));
            Assert.True(all[^1].Position.Segment >= 15, $"segment {all[^1].Position.Segment}");
            IReadOnlyList<LogRecord> few = await log.ReadRangeAsync(3, 1000, 2500);
            Assert.Equal(["item-3", "item-4"], few.Select(r => r.Id));
            Assert.Single(await log.ReadRangeAsync(3, 1000, 1));
        }

        await AssertReopensWith([.. Enumerable.Range(0, 60).Select(i => $"item-{i}")]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_between_the_roll_and_the_next_segment_is_followed(bool sameWriter)
    {
        HookedStore hooked = new(_store);
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            await using ShardLog log = await Open(index, new ShardLogOptions { SegmentAppends = 2 }, hooked);
            await log.AppendAsync([Entries.Of("one")]);
            hooked.BeforeAppend = name => name.EndsWith("2.seg", StringComparison.Ordinal)
                ? throw new StorageUnavailableException("disk full") : Task.CompletedTask;
            await Assert.ThrowsAsync<StorageUnavailableException>(() => log.AppendAsync([Entries.Of("two")]));
            hooked.BeforeAppend = null;
            if (sameWriter)
            {
                Assert.Equal(2, (await log.AppendAsync([Entries.Of("two")]))[0].Segment);
            }
        }

        await AssertReopensWith(sameWriter ? ["one", "two"] : ["one"]);
        using ItemIndex again = new(_folder.Sub("index"));
        await using ShardLog reopened = await Open(again);
        Assert.Equal(2, (await reopened.AppendAsync([Entries.Of("three")]))[0].Segment);
    }

    [Fact]
    public async Task An_item_sent_again_supersedes_the_earlier_one()
    {
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await Open(index);
        await log.AppendAsync([Entries.Of("a"), Entries.Of("b"), Entries.Of("a", version: 1)]);
        Assert.True(index.TryFind(Entries.IdHash("a"), out long sequence));
        Assert.Equal(2, sequence);
        Assert.Equal(ItemMarks.Superseded, index.Get(0).Marks);
        Assert.Equal(ItemMarks.None, index.Get(1).Marks);
    }

    [Fact]
    public void Wrong_settings_are_told_all_at_once()
    {
        ShardLogOptions options = new() { SegmentAppends = 50_000, MaxCallBytes = 90 << 20, QueueBytes = 1 << 20 };
        Assert.Equal(
            [
                "SegmentAppends is 50000; must be 2 to 45000",
                "QueueBytes is 1048576; must be at least MaxCallBytes, 94371840",
            ],
            options.Problems());
        Assert.Throws<ArgumentException>(options.Validate);
        Assert.Empty(new ShardLogOptions().Problems());
    }

    private async Task AssertReopensWith(string[] ids)
    {
        using ItemIndex index = new(_folder.Sub($"index-{Guid.NewGuid():N}"));
        await using ShardLog log = await Open(index);
        Assert.Equal(ids.Length, log.NextSequence);
        Assert.Equal(ids, (await log.ReadRangeAsync(0, ids.Length, int.MaxValue)).Select(r => r.Id));
    }

    private static async Task CheckAsync(ShardLog log, ItemIndex index, LogEntry[] entries, LogPosition[] positions)
    {
        IReadOnlyList<LogRecord> range = await log.ReadRangeAsync(0, entries.Length, int.MaxValue);
        Assert.Equal(entries.Length, range.Count);
        for (int i = 0; i < entries.Length; i++)
        {
            LogRecord one = await log.ReadAsync(positions[i]);
            foreach (LogRecord record in new[] { one, range[i] })
            {
                Assert.Equal(entries[i].Id, record.Id);
                Assert.Equal(entries[i].MediaType, record.MediaType);
                Assert.Equal(entries[i].Bytes, record.Bytes.ToArray());
                Assert.Equal(entries[i].Metadata, record.Metadata);
                Assert.Equal(entries[i].ContentHash, record.ContentHash);
            }

            Assert.True(index.TryFind(entries[i].IdHash, out long sequence));
            Assert.Equal(positions[i], index.Get(sequence).Position);
        }
    }

    private Task<ShardLog> Open(ItemIndex index, ShardLogOptions? options = null, IObjectStore? store = null) =>
        ShardLog.OpenAsync(store ?? _store, Prefix, options ?? new ShardLogOptions(), TimeProvider.System, index, CancellationToken.None);
}
