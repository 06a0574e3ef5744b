namespace Shoal.Storage.Tests;

public sealed class ShardLogTests : IDisposable
{
    private const string Prefix = "datasets/digits/shards/0003/log";
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

    private Task<ShardLog> Open(ItemIndex index, ShardLogOptions? options = null) =>
        ShardLog.OpenAsync(_store, Prefix, options ?? new ShardLogOptions(), TimeProvider.System, index, CancellationToken.None);
}
