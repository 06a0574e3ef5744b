using CsCheck;

namespace Shoal.Storage.Tests;

/// <summary>What a repair makes of a damaged log: every whole item is kept, every other one is known to be lost, and no number is used twice.</summary>
public sealed class RepairTests : IDisposable
{
    private const string Prefix = "log";
    private readonly TempFolder _folder = new();
    private int _folders;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_whole_log_is_left_alone()
    {
        string root = await WriteAsync(5);
        Dictionary<string, byte[]> before = Files(root);
        Assert.Empty(await RepairAsync(root, 5));
        Assert.Equal(before, Files(root));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flipped_bit_anywhere_costs_the_items_of_its_record_and_no_other(bool withIndex)
    {
        string source = await WriteAsync(9);
        string[] segments = [.. Directory.EnumerateFiles(Path.Combine(source, Prefix)).Order(StringComparer.Ordinal)];
        Assert.InRange(segments.Length, 2, 5);
        long bits = segments.Sum(file => new FileInfo(file).Length) * 8;
        await Gen.Long[0, bits - 1].SampleAsync(
            async bit =>
            {
                string root = Copy(source, withIndex);
                string damaged = Flip(root, bit);
                IReadOnlyList<LogDamage> damages = await RepairAsync(root, 9);
                LogDamage damage = Assert.Single(damages);
                Assert.Contains($"{damage.Segment:D8}", damaged, StringComparison.Ordinal);
                Assert.InRange(damage.Items, 0, 1);
                Assert.Equal(damage.Bytes, new FileInfo(Path.Combine(root, damage.SavedAs)).Length);
                await CheckAsync(root, 9, damage.Items == 1 ? [damage.FirstSequence] : []);

                // It can be written to again, and repairing it again does nothing.
                Assert.Empty(await RepairAsync(root, 9));
            },
            seed: "0000KOIPe983", iter: 150, threads: 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(75)]
    [InlineData(76)]
    [InlineData(200)]
    public async Task Acknowledged_items_that_a_cut_took_away_are_known_to_be_lost(int cut)
    {
        string root = await WriteAsync(4, segmentBytes: 1 << 20);
        string segment = Path.Combine(root, Prefix, "00000001.seg");
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        await File.WriteAllBytesAsync(segment, bytes[..^cut]);
        LogDamage damage = (await RepairAsync(root, 4))[0];
        Assert.Equal((3, 1), (damage.FirstSequence, damage.Items));
        await CheckAsync(root, 4, [3]);
    }

    [Fact]
    public async Task Whole_records_that_are_missing_at_the_end_are_counted()
    {
        string root = await WriteAsync(3, segmentBytes: 1 << 20);
        LogDamage damage = Assert.Single(await RepairAsync(root, 5));
        Assert.Equal((3L, 2L, 0L), (damage.FirstSequence, damage.Items, damage.Bytes));
        await CheckAsync(root, 5, [3, 4]);
    }

    [Fact]
    public async Task A_record_of_a_newer_format_is_not_taken_for_damage()
    {
        string root = await WriteAsync(3, segmentBytes: 1 << 20);
        string segment = Path.Combine(root, Prefix, "00000001.seg");
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        int at = LogRecordCodec.HeaderBytes + LogWriterName.Bytes;
        MakeNewer(bytes, at);
        await File.WriteAllBytesAsync(segment, bytes);
        Directory.Delete(Path.Combine(root, "index"), recursive: true);
        StorageCorruptException repair = await Assert.ThrowsAsync<StorageCorruptException>(() => RepairAsync(root, 3));
        StorageCorruptException open = await Assert.ThrowsAsync<StorageCorruptException>(() => CheckAsync(root, 3, []));
        Assert.All([repair, open], e => Assert.Contains("newer Shoal", e.Message, StringComparison.Ordinal));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(segment));
    }

    [Fact]
    public async Task Whoever_had_the_log_open_cannot_write_any_more()
    {
        string root = await WriteAsync(3, segmentBytes: 1 << 20);
        using FileObjectStore store = Store(root);
        using ItemIndex index = new(Path.Combine(root, "other-index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
        string segment = Path.Combine(root, Prefix, "00000001.seg");
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        bytes[LogRecordCodec.HeaderBytes + LogWriterName.Bytes + 20] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        Assert.Single(await RepairAsync(root, 3));
        await Assert.ThrowsAsync<LogFencedException>(() => log.AppendAsync(Entries.Many(3, 1)));
        await CheckAsync(root, 3, [0]);
    }

    // The record's format version becomes 2, and its checksum right for that.
    private static void MakeNewer(byte[] bytes, int at)
    {
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
        Span<byte> record = bytes.AsSpan(at, length);
        record[8] = 2;
        Span<byte> place = stackalloc byte[12];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(place, 1);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(place[4..], at);
        uint crc = Crc32C.Add(Crc32C.Add(Crc32C.Start, place), record[..4]);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(record[4..], ~Crc32C.Add(crc, record[8..]));
    }

    private static Dictionary<string, byte[]> Files(string root) => Directory.EnumerateFiles(Path.Combine(root, Prefix)).ToDictionary(file => file, File.ReadAllBytes);

    private static FileObjectStore Store(string root) => new(root, new FileObjectStoreOptions { Fsync = FsyncPolicy.None, WriteThreads = 1, ReadThreads = 1 });

    private static async Task<IReadOnlyList<LogDamage>> RepairAsync(string root, long used)
    {
        using FileObjectStore store = Store(root);
        return await LogRepair.RunAsync(store, Prefix, "removed", used, TimeProvider.System);
    }

    // The bit is counted over all segments.
    private static string Flip(string root, long bit)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(root, Prefix)).Order(StringComparer.Ordinal))
        {
            byte[] bytes = File.ReadAllBytes(file);
            if (bit < bytes.Length * 8L)
            {
                bytes[bit / 8] ^= (byte)(1 << (int)(bit % 8));
                File.WriteAllBytes(file, bytes);
                return file;
            }

            bit -= bytes.Length * 8L;
        }

        throw new ArgumentOutOfRangeException(nameof(bit));
    }

    private string Copy(string source, bool withIndex)
    {
        string root = _folder.Sub($"copy-{_folders++}");
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(root, Path.GetRelativePath(source, file));
            if (withIndex || !target.Contains("index", StringComparison.Ordinal))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }

        return root;
    }

    private async Task<string> WriteAsync(int items, long segmentBytes = 4096)
    {
        string root = _folder.Sub($"log-{_folders++}");
        using FileObjectStore store = Store(root);
        using ItemIndex index = new(Path.Combine(root, "index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new ShardLogOptions { SegmentBytes = segmentBytes }, TimeProvider.System, index, CancellationToken.None);
        foreach (LogEntry entry in Entries.Many(0, items, bytes: 1_000))
        {
            await log.AppendAsync([entry]);
        }

        return root;
    }

    // Opens the log, appends an item, and reads all: those that are not lost are whole, those that are lost are deleted.
    private static async Task CheckAsync(string root, int items, long[] lost)
    {
        using FileObjectStore store = Store(root);
        using ItemIndex index = new(Path.Combine(root, "index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
        Assert.Equal(items, (await log.AppendAsync([Entries.Of("after")]))[0].Sequence);
        IReadOnlyList<LogRecord> records = await log.ReadRangeAsync(0, 1000, int.MaxValue);
        long[] kept = [.. Enumerable.Range(0, items).Select(i => (long)i).Except(lost)];
        Assert.Equal([.. kept.Select(i => $"item-{i}"), "after"], records.Select(r => r.Id));
        Assert.Equal([.. kept, items], records.Select(r => r.Position.Sequence));
        Assert.All(lost, i => Assert.Equal(ItemMarks.Deleted | ItemMarks.Erased, index.Get(i).Marks));
        Assert.All(kept, i => Assert.Equal(ItemMarks.None, index.Get(i).Marks));
    }
}
