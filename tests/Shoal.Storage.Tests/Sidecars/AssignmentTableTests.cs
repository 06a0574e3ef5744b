namespace Shoal.Storage.Tests;

public sealed class AssignmentTableTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Assignment Sample(long i) =>
        new((byte)(i % 5), i * 1_000_000_007, i / 5000f, (int)i, (int)i + 1, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000 + i));

    [Fact]
    public void Assignments_survive_reopening_and_the_rest_is_pending()
    {
        using (AssignmentTable table = new(_folder.Path))
        {
            table.WriteMany(0, [.. Enumerable.Range(0, 3000).Select(i => Sample(i))]);
            table.Write(5000, Sample(5000));
        }

        using AssignmentTable again = new(_folder.Path);
        Assignment[] read = new Assignment[6000];
        again.ReadMany(0, read);
        for (int i = 0; i < read.Length; i++)
        {
            Assert.Equal(i is < 3000 or 5000 ? Sample(i) : Assignment.Pending, read[i]);
        }

        Assert.Equal(Sample(77), again.Read(77));
        Assert.Equal(Assignment.Pending, again.Read(10_000_000));
    }

    [Fact]
    public void A_damaged_record_or_one_of_another_item_reads_as_pending()
    {
        using (AssignmentTable table = new(_folder.Path))
        {
            table.WriteMany(0, [Sample(1), Sample(2), Sample(3)]);
        }

        string file = _folder.Sub("assignments.tab");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[10] ^= 1;
        bytes.AsSpan(64, 32).CopyTo(bytes.AsSpan(32));
        File.WriteAllBytes(file, bytes);
        using AssignmentTable again = new(_folder.Path);
        Assert.Equal(Assignment.Pending, again.Read(0));
        Assert.Equal(Assignment.Pending, again.Read(1));
        Assert.Equal(Sample(3), again.Read(2));
    }

    [Fact]
    public void Embeddings_survive_reopening_and_those_of_another_width_are_discarded()
    {
        Half[] rows = [.. Enumerable.Range(0, 12).Select(i => (Half)i)];
        using (AssignmentTable table = new(_folder.Path))
        {
            Assert.Equal(0, table.Width);
            Assert.Throws<InvalidOperationException>(() => table.WriteEmbeddings(0, rows));
            Assert.False(table.UseWidth(4));
            table.WriteEmbeddings(10, rows);
            table.WriteEmbeddings([3, 4, 7], rows);
            Assert.Throws<ArgumentException>(() => table.WriteEmbeddings(0, rows.AsSpan(0, 5)));
        }

        using AssignmentTable again = new(_folder.Path);
        Assert.Equal(4, again.Width);
        Assert.True(again.UseWidth(4));
        Half[] read = new Half[12];
        again.ReadEmbeddings(10, 3, read);
        Assert.Equal(rows, read);
        again.ReadEmbeddings(7, 1, read.AsSpan(0, 4));
        Assert.Equal(rows[8..], read[..4]);
        again.ReadEmbeddings(5, 1, read.AsSpan(0, 4));
        Assert.Equal(new Half[4], read[..4]);

        Assert.False(again.UseWidth(8));
        again.ReadEmbeddings(10, 1, read.AsSpan(0, 8));
        Assert.Equal(new Half[8], read[..8]);
    }

    [Fact]
    public void A_second_opener_is_refused_while_the_first_has_it()
    {
        using AssignmentTable table = new(_folder.Path);
        StorageUnavailableException e = Assert.Throws<StorageUnavailableException>(() => new AssignmentTable(_folder.Path));
        Assert.Contains("nobody else has it open", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_million_items_open_within_the_budget_of_memory_and_time()
    {
        const int Items = 1_000_000;
        using (ItemIndex index = new(_folder.Sub("index")))
        {
            index.Reserve(Items);
            for (int i = 0; i < Items; i++)
            {
                UInt128 hash = new((ulong)i, (ulong)i * 0x9E37_79B9_7F4A_7C15);
                index.Add(new LogIndexEntry(new LogPosition(i, 1, i * 100L, 100), hash, hash, DateTimeOffset.UnixEpoch));
            }

            index.Commit(new LogCheckpoint(7, 1, Items * 100L, Items, 3, 100, 5));
        }

        long before = GC.GetTotalMemory(forceFullCollection: true);
        long start = TimeProvider.System.GetTimestamp();
        using ItemIndex again = new(_folder.Sub("index"));
        TimeSpan took = TimeProvider.System.GetElapsedTime(start);
        long resident = (GC.GetTotalMemory(forceFullCollection: true) - before) / Items;
        Assert.Equal(Items, again.Count);
        Assert.True(again.TryFind(new UInt128(77, unchecked(77 * 0x9E37_79B9_7F4A_7C15)), out long found) && found == 77);
        Assert.True(resident <= 64, $"{resident} bytes an item");
        Assert.True(took < TimeSpan.FromSeconds(5), $"opening took {took}");
        TestContext.Current.TestOutputHelper?.WriteLine($"1,000,000 items: {took.TotalSeconds:F2} s, {resident} bytes an item");
    }
}
