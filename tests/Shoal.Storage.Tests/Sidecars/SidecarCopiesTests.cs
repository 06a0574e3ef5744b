namespace Shoal.Storage.Tests;

public sealed class SidecarCopiesTests : IDisposable
{
    private const string Log = "datasets/digits/shards/0003/log";
    private const string Copies = "datasets/digits/shards/0003/sidecars/";
    private const int Width = 8;
    private const int Items = PageMarks.PageItems + 900;

    private readonly TempFolder _folder = new();
    private readonly CountingStore _store;
    private readonly FileObjectStore _files;

    public SidecarCopiesTests()
    {
        _files = new FileObjectStore(_folder.Sub("store"), new FileObjectStoreOptions { Fsync = FsyncPolicy.None });
        _store = new CountingStore(_files);
    }

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_another_host_brings_to_its_folder_is_what_this_one_had()
    {
        await using (Opened here = await OpenAsync("here"))
        {
            await here.FillAsync(0, Items);
            await here.Log.AppendAsync([LogEntry.Deletion(Entries.IdHash("item-7")), Entries.Of("item-8", version: 1)]);
            Assert.Equal(2, await here.CopyAsync());
            // Behind the copy: found in the log by whoever comes next.
            await here.Log.AppendAsync([Entries.Of("late"), LogEntry.Deletion(Entries.IdHash("item-9"))]);
        }

        _store.Reset();
        await using Opened there = await OpenAsync("there");
        Assert.True(there.Restored);
        Assert.InRange(_store.LogBytes, 1, 20_000);
        Assert.Equal(Items + 2, there.Index.Count);
        Assert.Equal(ItemMarks.Deleted, there.Index.Get(7).Marks);
        Assert.Equal(ItemMarks.Superseded, there.Index.Get(8).Marks);
        Assert.Equal(ItemMarks.Deleted, there.Index.Get(9).Marks);
        Assert.True(there.Index.TryFind(Entries.IdHash("late"), out long late));
        Assert.Equal(Items + 1, late);
        there.CheckFilled(0, Items);
        Assert.Equal(Assignment.Pending, there.Table.Read(late));
    }

    [Fact]
    public async Task Only_what_changed_is_copied_and_what_it_replaces_goes()
    {
        await using Opened here = await OpenAsync("here");
        Assert.Equal(0, await here.CopyAsync());
        await here.FillAsync(0, Items);
        Assert.Equal(2, await here.CopyAsync());
        Assert.Equal(0, await here.CopyAsync());
        here.Table.Write(Items - 1, Sample(5, version: 9));
        Assert.Equal(1, await here.CopyAsync());
        Assert.Equal(3, await CountAsync());
    }

    [Fact]
    public async Task A_folder_that_is_as_new_as_the_copies_is_kept_and_not_copied_again()
    {
        await using (Opened here = await OpenAsync("here"))
        {
            await here.FillAsync(0, Items);
            await here.CopyAsync();
            here.Copier.Close();
        }

        await using (Opened here = await OpenAsync("here"))
        {
            Assert.False(here.Restored);
            Assert.Equal(0, await here.CopyAsync());
            here.Table.Write(3, Sample(3, version: 9));
        }

        // Killed: what changed since the copy nobody noted, so all of it is copied.
        await using Opened again = await OpenAsync("here");
        Assert.False(again.Restored);
        Assert.Equal(2, await again.CopyAsync());
        Assert.Equal(Sample(3, version: 9), again.Table.Read(3));
    }

    [Fact]
    public async Task A_folder_that_somebody_else_went_on_from_is_brought_up_to_date()
    {
        await using (Opened here = await OpenAsync("here"))
        {
            await here.FillAsync(0, 100);
            await here.CopyAsync();
        }

        await using (Opened there = await OpenAsync("there"))
        {
            await there.FillAsync(100, 50, version: 2);
            await there.CopyAsync();
        }

        await using Opened back = await OpenAsync("here");
        Assert.True(back.Restored);
        back.CheckFilled(0, 100);
        back.CheckFilled(100, 50, version: 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_one_of_its_pages_the_index_is_built_from_the_log_and_the_other_pages_are_of_use(bool damaged)
    {
        await using (Opened here = await OpenAsync("here"))
        {
            await here.FillAsync(0, Items);
            await here.CopyAsync();
        }

        ObjectInfo first = await _store.ListAsync(Copies).FirstAsync(info => info.Name.Contains("/000000-", StringComparison.Ordinal));
        if (damaged)
        {
            byte[] bytes = (await _store.GetAsync(first.Name))!.Content;
            bytes[^9] ^= 1;
            await _store.PutAsync(first.Name, bytes, PutCondition.Always);
        }
        else
        {
            await _store.DeleteAsync(first.Name);
        }

        await using Opened there = await OpenAsync("there");
        Assert.Equal(Items, there.Index.Count);
        Assert.Equal(Assignment.Pending, there.Table.Read(0));
        there.CheckFilled(PageMarks.PageItems, Items - PageMarks.PageItems);
        Assert.Equal(2, await there.CopyAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_opener_that_was_fenced_off_neither_wins_nor_spoils_what_the_newer_one_copies(bool olderCopiesFirst)
    {
        await using Opened older = await OpenAsync("older");
        await older.FillAsync(0, Items);
        await older.CopyAsync();
        await using Opened newer = await OpenAsync("newer");
        older.Table.Write(1, Sample(1, version: 7));
        newer.Table.Write(2, Sample(2, version: 8));
        if (!olderCopiesFirst)
        {
            await newer.CopyAsync();
        }

        await older.CopyAsync();
        await newer.CopyAsync();
        await newer.CopyAsync();
        Assert.Equal(0, await older.CopyAsync());

        await using Opened third = await OpenAsync("third");
        Assert.True(third.Restored);
        Assert.Equal(Sample(1), third.Table.Read(1));
        Assert.Equal(Sample(2, version: 8), third.Table.Read(2));
        third.CheckFilled(3, Items - 3);
    }

    // Every put and delete in turn: what is brought afterwards is what some copy was taken of, never a mixture. The control overwrites pages in place.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Copying_that_breaks_off_anywhere_leaves_a_copy_of_one_moment(bool inPlace)
    {
        bool mixed = false;
        for (int broken = 1; ; broken++)
        {
            using TempFolder folder = new();
            using FileObjectStore files = new(folder.Sub("store"), new FileObjectStoreOptions { Fsync = FsyncPolicy.None });
            CountingStore store = new(inPlace ? new InPlaceStore(files) : files);
            await using (Opened here = await OpenAsync(store, folder.Sub("here")))
            {
                await here.FillAsync(0, Items);
                await here.CopyAsync();
                here.Assign(0, Items, version: 2);
                store.Reset();
                store.FailAt = broken;
                try
                {
                    await here.CopyAsync();
                }
                catch (StorageUnavailableException)
                {
                    // As it was meant to.
                }
            }

            bool whole = store.Writes < broken;
            store.FailAt = int.MaxValue;
            await using Opened there = await OpenAsync(store, folder.Sub("there"));
            Assert.True(there.Restored);
            mixed |= there.Table.Read(0).ModelVersion != there.Table.Read(Items - 1).ModelVersion;
            if (whole)
            {
                there.CheckFilled(0, Items, version: 2);
                Assert.True(broken > 4, $"{broken - 1} writes");
                Assert.Equal(inPlace, mixed);
                return;
            }

            if (!inPlace)
            {
                there.CheckFilled(0, Items, there.Table.Read(0).ModelVersion);
            }
        }
    }

    private static Assignment Sample(long item, int version = 1) =>
        new(1, item * 1_000_003, item / 10_000f, version, version, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000 + item));

    private static Half[] Embedding(long item, int version) => [.. Enumerable.Range(0, Width).Select(i => (Half)((item + i + (version * 100)) % 1_000))];

    private Task<Opened> OpenAsync(string name) => OpenAsync(_store, _folder.Sub(name));

    private static async Task<Opened> OpenAsync(IObjectStore store, string folder)
    {
        bool restored = await SidecarCopies.RestoreAsync(store, Copies, folder);
        PageMarks marks = new();
        ItemIndex index = new(folder, marks);
        AssignmentTable table = new(folder, marks);
        ShardLog log = await ShardLog.OpenAsync(store, Log, new ShardLogOptions(), TimeProvider.System, index, CancellationToken.None);
        return new Opened(restored, index, table, log, new SidecarCopies(store, Copies, folder, index, table, marks));
    }

    private async Task<int> CountAsync()
    {
        int count = 0;
        await foreach (ObjectInfo _ in _store.ListAsync(Copies))
        {
            count++;
        }

        return count;
    }

    /// <summary>A shard that is open.</summary>
    private sealed record Opened(bool Restored, ItemIndex Index, AssignmentTable Table, ShardLog Log, SidecarCopies Copier) : IAsyncDisposable
    {
        public Task<int> CopyAsync() => Copier.CopyAsync(Log.Epoch);

        public async Task FillAsync(int from, int count, int version = 1)
        {
            await Log.AppendAsync(Entries.Many(from, count, bytes: 20));
            Assign(from, count, version);
        }

        public void Assign(int from, int count, int version)
        {
            Table.UseWidth(Width);
            Table.WriteMany(from, [.. Enumerable.Range(from, count).Select(i => Sample(i, version))]);
            Table.WriteEmbeddings(from, [.. Enumerable.Range(from, count).SelectMany(i => Embedding(i, version))]);
        }

        public void CheckFilled(int from, int count, int version = 1)
        {
            Assert.Equal(Width, Table.Width);
            Half[] embeddings = new Half[count * Width];
            Table.ReadEmbeddings(from, count, embeddings);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(Sample(from + i, version), Table.Read(from + i));
                Assert.Equal(Embedding(from + i, version), embeddings[(i * Width)..((i + 1) * Width)]);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Log.DisposeAsync();
            Index.Dispose();
            Table.Dispose();
        }
    }

    /// <summary>Counts what is written and read, and fails once.</summary>
    private sealed class CountingStore(IObjectStore inner) : StoreWrapper(inner)
    {
        private long _logBytes;
        private int _writes;

        public int Writes => _writes;

        public long LogBytes => _logBytes;

        public int FailAt { get; set; } = int.MaxValue;

        public void Reset() => (_writes, _logBytes) = (0, 0);

        public override Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default)
        {
            Count();
            return base.PutAsync(name, content, condition, ct);
        }

        public override Task DeleteAsync(string name, CancellationToken ct = default)
        {
            Count();
            return base.DeleteAsync(name, ct);
        }

        public override async Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default)
        {
            int read = await base.ReadAsync(name, offset, buffer, ct);
            Interlocked.Add(ref _logBytes, read);
            return read;
        }

        private void Count()
        {
            if (Interlocked.Increment(ref _writes) == FailAt)
            {
                throw new StorageUnavailableException("The store is away, as the test wants it.");
            }
        }
    }

    /// <summary>The broken control: each page has one object, which is overwritten.</summary>
    private sealed class InPlaceStore(IObjectStore inner) : StoreWrapper(inner)
    {
        public override Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => base.GetAsync(Page(name), ct);

        public override Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default) =>
            base.PutAsync(Page(name), content, IsPage(name) ? PutCondition.Always : condition, ct);

        public override Task DeleteAsync(string name, CancellationToken ct = default) => IsPage(name) ? Task.CompletedTask : base.DeleteAsync(name, ct);

        private static bool IsPage(string name) => name.StartsWith(Copies + "0", StringComparison.Ordinal);

        private static string Page(string name) => IsPage(name) ? name[..(Copies.Length + 6)] : name;
    }
}
