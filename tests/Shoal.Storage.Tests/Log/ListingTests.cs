using System.Runtime.CompilerServices;

namespace Shoal.Storage.Tests;

/// <summary>A list of segments is not of one moment: a segment may end, and another begin, while it is made.</summary>
public sealed class ListingTests : IDisposable
{
    private const string Prefix = "datasets/digits/shards/0003/log";
    private const int Items = 10;

    private readonly TempFolder _folder = new();
    private readonly FileObjectStore _files;
    private readonly RollingStore _store;

    public ListingTests()
    {
        _files = new FileObjectStore(_folder.Sub("store"), new FileObjectStoreOptions { Fsync = FsyncPolicy.None });
        _store = new RollingStore(_files);
    }

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_copy_of_a_log_whose_segment_ends_while_it_is_listed_is_a_log()
    {
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await FilledAsync(index);
        Assert.Equal(2, (await LogCopies.CopyAsync(_store, Prefix, _files, "copy", "log")).Count);

        using ItemIndex copied = new(_folder.Sub("copied"));
        await using ShardLog copy = await ShardLog.OpenAsync(_files, "copy", new ShardLogOptions(), TimeProvider.System, copied, CancellationToken.None);
        Assert.Equal(Items + 1, copied.Count);
    }

    [Fact]
    public async Task A_log_whose_segment_ends_while_it_is_opened_is_not_damaged()
    {
        using ItemIndex index = new(_folder.Sub("index"));
        await using ShardLog log = await FilledAsync(index);
        using ItemIndex other = new(_folder.Sub("other"));
        await using ShardLog again = await ShardLog.OpenAsync(_store, Prefix, new ShardLogOptions(), TimeProvider.System, other, CancellationToken.None);
        Assert.Equal(Items + 1, other.Count);
        Assert.Equal(2, again.Epoch);
    }

    private async Task<ShardLog> FilledAsync(ItemIndex index)
    {
        ShardLog log = await ShardLog.OpenAsync(_files, Prefix, new ShardLogOptions(), TimeProvider.System, index, CancellationToken.None);
        await log.AppendAsync(Entries.Many(0, Items));
        _store.Between = async () =>
        {
            await log.RollAsync();
            await log.AppendAsync(Entries.Many(Items, 1));
        };
        return log;
    }

    /// <summary>Lists what was there before something happened, and what came of it.</summary>
    private sealed class RollingStore(IObjectStore inner) : StoreWrapper(inner)
    {
        public Func<Task>? Between { get; set; }

        public override async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
        {
            HashSet<string> listed = [];
            await foreach (ObjectInfo info in Inner.ListAsync(prefix, ct))
            {
                listed.Add(info.Name);
                yield return info;
            }

            if (Between is { } between)
            {
                Between = null;
                await between();
            }

            await foreach (ObjectInfo info in Inner.ListAsync(prefix, ct))
            {
                if (!listed.Contains(info.Name))
                {
                    yield return info;
                }
            }
        }
    }
}
