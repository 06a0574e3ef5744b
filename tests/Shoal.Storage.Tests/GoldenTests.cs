namespace Shoal.Storage.Tests;

/// <summary>Files that earlier versions wrote stay readable for ever. Never change a file in Golden; add another.</summary>
public sealed class GoldenTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 22, 12, 34, 56, 789, TimeSpan.Zero);

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    internal static LogEntry[] Items() =>
    [
        new("first", "image/png", [1, 2, 3], Metadata: null, ContentHash: 11, IdHash: 1),
        new("größe/2", "audio/wav", [], new Dictionary<string, string>(StringComparer.Ordinal) { ["clé"] = "värde", ["b"] = "" }, UInt128.MaxValue, IdHash: 2),
        new("first", "image/png", [.. Enumerable.Range(0, 300).Select(i => (byte)i)], Metadata: null, ContentHash: 13, IdHash: 1),
    ];

    [Fact]
    public async Task A_segment_of_format_1_is_read()
    {
        using TempFolder folder = new();
        Directory.CreateDirectory(folder.Sub("log"));
        File.Copy(Golden("segment-v1.seg"), folder.Sub("log/00000001.seg"));
        using FileObjectStore store = new(folder.Path);
        using ItemIndex index = new(folder.Sub("index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, "log", new(), TimeProvider.System, index, CancellationToken.None);
        Assert.Equal(2, log.Epoch);
        IReadOnlyList<LogRecord> records = await log.ReadRangeAsync(0, 10, int.MaxValue);
        LogEntry[] items = Items();
        Assert.Equal(items.Length, records.Count);
        for (int i = 0; i < items.Length; i++)
        {
            Assert.Equal(items[i].Id, records[i].Id);
            Assert.Equal(items[i].MediaType, records[i].MediaType);
            Assert.Equal(items[i].Bytes, records[i].Bytes.ToArray());
            Assert.Equal(items[i].Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal), records[i].Metadata);
            Assert.Equal(items[i].ContentHash, records[i].ContentHash);
            Assert.Equal(items[i].IdHash, records[i].IdHash);
            Assert.Equal(Time, records[i].Time);
            Assert.Equal(1, records[i].Epoch);
        }

        Assert.Equal(ItemMarks.Superseded, index.Get(0).Marks);
    }

    [Fact]
    public async Task Segments_with_deleted_expired_and_erased_items_are_read()
    {
        // Four items, of which the first two were replaced and deleted, and erased; then all below the fourth expired, and a fifth came.
        using TempFolder folder = new();
        Directory.CreateDirectory(folder.Sub("log"));
        foreach (string segment in new[] { "00000001.0001.seg", "00000002.seg" })
        {
            File.Copy(Golden($"gone/{segment}"), folder.Sub($"log/{segment}"));
        }

        using FileObjectStore store = new(folder.Path);
        using ItemIndex index = new(folder.Sub("index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, "log", new(), TimeProvider.System, index, CancellationToken.None);
        Assert.Equal(5, log.NextSequence);
        Assert.Equal(
            [ItemMarks.Deleted | ItemMarks.Erased, ItemMarks.Deleted | ItemMarks.Erased, ItemMarks.Deleted, ItemMarks.None, ItemMarks.None],
            Enumerable.Range(0, 5).Select(i => index.Get(i).Marks & ~ItemMarks.Superseded));
        Assert.Equal([(2L, "first"), (3L, "third"), (4L, "fourth")], (await log.ReadRangeAsync(0, 10, int.MaxValue)).Select(r => (r.Position.Sequence, r.Id)));
        Assert.Equal((UInt128)2, index.Get(1).IdHash);
    }

    [Fact]
    public async Task Records_are_written_byte_for_byte_as_in_format_1()
    {
        byte[] golden = await File.ReadAllBytesAsync(Golden("segment-v1.seg"));
        int at = LogRecordCodec.HeaderBytes + LogWriterName.Bytes;
        LogEntry[] items = Items();
        for (int i = 0; i < items.Length; i++)
        {
            byte[] record = new byte[LogRecordCodec.Measure(items[i])];
            LogRecordCodec.WriteEntry(record, segment: 1, at, epoch: 1, sequence: i, Time, items[i]);
            Assert.Equal(golden[at..(at + record.Length)], record);
            at += record.Length;
        }

        Assert.Equal(golden.Length, at);
    }

    [Fact]
    public async Task A_safetensors_file_is_read_and_written_the_same()
    {
        byte[] golden = await File.ReadAllBytesAsync(Golden("tensors-v1.safetensors"));
        (IReadOnlyList<TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata) = SafeTensors.Read(golden);
        Assert.Equal("digits", metadata["dataset"]);
        Assert.Equal(["step", "encoder.weight", "keys"], tensors.Select(t => t.Name));
        Assert.Equal([2L, 3], tensors[1].Shape);
        Assert.Equal(1.5f, BitConverter.ToSingle(tensors[1].Data.Span[4..]));
        Assert.Equal(golden, SafeTensors.Write(tensors.Reverse(), metadata));
    }
}
