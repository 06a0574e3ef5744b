using CsCheck;

namespace Shoal.Storage.Tests;

/// <summary>What becomes of a log whose bytes were cut or changed.</summary>
public sealed class DamageTests : IDisposable
{
    private const string Prefix = "log";
    private readonly TempFolder _folder = new();
    private int _folders;

    private string Segment => Path.Combine(_folder.Sub("store"), "log", "00000001.seg");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_tail_torn_at_any_byte_of_the_last_records_loses_only_the_torn_record()
    {
        LogPosition[] positions = await WriteAsync(4);
        byte[] whole = await File.ReadAllBytesAsync(Segment);
        for (long length = positions[1].Offset; length < positions[3].Offset + positions[3].Length; length++)
        {
            await File.WriteAllBytesAsync(Segment, whole[..(int)length]);
            int kept = positions.Count(p => p.Offset + p.Length <= length);
            Assert.Equal(kept, await ReopenAsync());
        }
    }

    [Fact]
    public async Task A_tail_of_zeros_or_rubbish_is_cut_off()
    {
        await WriteAsync(3);
        byte[] whole = await File.ReadAllBytesAsync(Segment);
        byte[] rubbish = new byte[5000];
        new Random(4213).NextBytes(rubbish);
        foreach (byte[] tail in new[] { new byte[5000], rubbish })
        {
            await File.WriteAllBytesAsync(Segment, [.. whole, .. tail]);
            Assert.Equal(3, await ReopenAsync());
            Assert.True(new FileInfo(Segment).Length < whole.Length + 1000);
        }
    }

    [Fact]
    public async Task Any_flipped_bit_before_the_last_record_is_detected_when_the_log_is_scanned()
    {
        LogPosition[] positions = await WriteAsync(5);
        byte[] whole = await File.ReadAllBytesAsync(Segment);
        await Gen.Int[0, (int)(positions[4].Offset * 8) - 1].SampleAsync(
            async bit =>
            {
                byte[] damaged = [.. whole];
                damaged[bit / 8] ^= (byte)(1 << (bit % 8));
                await File.WriteAllBytesAsync(Segment, damaged);
                StorageCorruptException e = await Assert.ThrowsAsync<StorageCorruptException>(ReopenAsync);
                Assert.InRange(bit / 8, e.Offset, e.Offset + positions[3].Length + 300);
                Assert.Contains("./shoal repair", e.Message, StringComparison.Ordinal);
                Assert.Equal(damaged, await File.ReadAllBytesAsync(Segment));
            },
            seed: "0000KOIPe982", iter: 200, threads: 1);
    }

    [Fact]
    public async Task Any_flipped_bit_of_an_item_is_detected_when_it_is_read()
    {
        using FileObjectStore store = Store();
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
        LogPosition position = (await log.AppendAsync(Entries.Many(0, 1)))[0];
        byte[] whole = await File.ReadAllBytesAsync(Segment);
        for (int bit = 0; bit < position.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[position.Offset + (bit / 8)] ^= (byte)(1 << (bit % 8));
            await File.WriteAllBytesAsync(Segment, damaged);
            await Assert.ThrowsAsync<StorageCorruptException>(() => log.ReadAsync(position));
        }
    }

    [Fact]
    public async Task The_index_betrays_a_damaged_last_record_that_would_pass_for_a_torn_tail()
    {
        LogPosition[] positions = await WriteAsync(3, "index");
        byte[] whole = await File.ReadAllBytesAsync(Segment);
        await File.WriteAllBytesAsync(Segment, whole[..(int)(positions[2].Offset + 50)]);
        StorageCorruptException e = await Assert.ThrowsAsync<StorageCorruptException>(() => ReopenAsync("index"));
        Assert.Contains("acknowledged items are lost", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_item_that_holds_a_copy_of_a_log_is_not_taken_for_records_when_its_tail_is_torn()
    {
        await WriteAsync(3);
        byte[] copy = await File.ReadAllBytesAsync(Segment);
        LogPosition position;
        using (FileObjectStore store = Store())
        using (ItemIndex index = new(NewIndex()))
        {
            await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
            LogEntry nested = Entries.Of("nested") with { Bytes = copy };
            position = (await log.AppendAsync([nested]))[0];
        }

        byte[] whole = await File.ReadAllBytesAsync(Segment);
        await File.WriteAllBytesAsync(Segment, whole[..^1]);
        Assert.Equal(3, position.Sequence);
        Assert.Equal(3, await ReopenAsync());
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("short")]
    [InlineData("header")]
    [InlineData("record")]
    [InlineData("other log")]
    public async Task An_index_that_is_not_whole_is_rebuilt_from_the_log(string damage)
    {
        await WriteAsync(20, "index");
        string file = Path.Combine(_folder.Sub("index"), "items.idx");
        byte[] bytes = await File.ReadAllBytesAsync(file);
        switch (damage)
        {
            case "missing":
                File.Delete(file);
                break;
            case "short":
                await File.WriteAllBytesAsync(file, bytes[..500]);
                break;
            case "header":
                bytes[20] ^= 1;
                await File.WriteAllBytesAsync(file, bytes);
                break;
            case "record":
                bytes[300] ^= 1;
                await File.WriteAllBytesAsync(file, bytes);
                break;
            default:
                Directory.Delete(_folder.Sub("store"), recursive: true);
                await WriteAsync(20);
                break;
        }

        Assert.Equal(20, await ReopenAsync("index"));
    }

    [Fact]
    public async Task An_index_that_is_behind_is_caught_up_from_its_mark()
    {
        await WriteAsync(5, "index");
        string kept = _folder.Sub("kept");
        Directory.Move(_folder.Sub("index"), kept);
        await WriteAsync(5, from: 5);
        Directory.Move(kept, _folder.Sub("index"));
        Assert.Equal(10, await ReopenAsync("index"));
    }

    private FileObjectStore Store() => new(_folder.Sub("store"), new FileObjectStoreOptions { Fsync = FsyncPolicy.None, WriteThreads = 1, ReadThreads = 1 });

    private string NewIndex() => _folder.Sub($"index-{_folders++}");

    private async Task<LogPosition[]> WriteAsync(int count, string? indexName = null, int from = 0)
    {
        using FileObjectStore store = Store();
        using ItemIndex index = new(indexName is null ? NewIndex() : _folder.Sub(indexName));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
        return await log.AppendAsync(Entries.Many(from, count));
    }

    // Opens with an empty index unless one is named; checks that index and log agree; returns the number of items.
    private async Task<int> ReopenAsync(string? indexName)
    {
        using FileObjectStore store = Store();
        using ItemIndex index = new(indexName is null ? NewIndex() : _folder.Sub(indexName));
        await using ShardLog log = await ShardLog.OpenAsync(store, Prefix, new(), TimeProvider.System, index, CancellationToken.None);
        IReadOnlyList<LogRecord> records = await log.ReadRangeAsync(0, 1000, int.MaxValue);
        Assert.Equal(log.NextSequence, index.Count);
        Assert.Equal(Enumerable.Range(0, (int)index.Count).Select(i => $"item-{i}"), records.Select(r => r.Id));
        Assert.All(records, r => Assert.True(index.TryFind(r.IdHash, out long s) && s == r.Position.Sequence));
        return records.Count;
    }

    private Task<int> ReopenAsync() => ReopenAsync(indexName: null);
}
