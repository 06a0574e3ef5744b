using System.Collections.Concurrent;
using Shoal.Contracts;

namespace Shoal.Fakes;

/// <summary>What all fake grains of a silo share: datasets, items, names, and the failures that were asked for.</summary>
public sealed class FakeStore
{
    public ConcurrentDictionary<string, FakeDataset> Datasets { get; } = new(StringComparer.Ordinal);

    /// <summary>Keys of the HTTP API, by prefix.</summary>
    public ConcurrentDictionary<string, AccessKeyEntry> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>The failures of the next looks at the keys; taken one a look.</summary>
    public ConcurrentQueue<Exception> KeyFailures { get; } = [];

    /// <summary>The audit log.</summary>
    public ConcurrentQueue<AuditEntry> Audit { get; } = [];

    /// <summary>Webhooks, by id.</summary>
    public ConcurrentDictionary<string, WebhookWork> Webhooks { get; } = new(StringComparer.Ordinal);

    public FakeDataset Dataset(string name) => Datasets.TryGetValue(name, out FakeDataset? dataset)
        ? dataset
        : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no dataset '{name}'.");
}

/// <summary>One dataset of the fake.</summary>
public sealed class FakeDataset(DatasetSettings settings)
{
    private int _inFlight;
    private long _stored;

    public DatasetSettings Settings { get; set; } = settings;

    public byte[]? FirstWeights { get; set; }

    public ConcurrentDictionary<string, FakeItem> Items { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> Deleted { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<long, string> Names { get; } = [];

    /// <summary>The sizes of the batches that shards took, with the shard's number.</summary>
    public ConcurrentQueue<(int Shard, int Items)> Batches { get; } = [];

    /// <summary>Merged clusters, and where they went.</summary>
    public ConcurrentDictionary<long, long> Redirects { get; } = [];

    /// <summary>The cluster that answers for an id.</summary>
    public long Resolve(long cluster) => Redirects.GetValueOrDefault(cluster, cluster);

    /// <summary>Shards that cannot be listed.</summary>
    public ISet<int> Damaged { get; } = new HashSet<int>();

    /// <summary>The failures of the next appends; taken one an append.</summary>
    public ConcurrentQueue<Exception> AppendFailures { get; } = [];

    /// <summary>The failures of the next queries.</summary>
    public ConcurrentQueue<Exception> QueryFailures { get; } = [];

    /// <summary>What every append waits for; none unless set.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>The most appends that were under way at once.</summary>
    public int MostInFlight { get; private set; }

    /// <summary>The time at which the next item is stored: each is a second after the one before.</summary>
    public DateTimeOffset Tick() => DateTimeOffset.UnixEpoch.AddSeconds(Interlocked.Increment(ref _stored));

    public async Task<T> AppendingAsync<T>(Func<T> append)
    {
        int now = Interlocked.Increment(ref _inFlight);
        MostInFlight = Math.Max(MostInFlight, now);
        try
        {
            await Gate;
            return append();
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }
}

/// <summary>One item of the fake.</summary>
public sealed record FakeItem(ItemUpload Upload, int Shard, long Sequence, DateTimeOffset At)
{
    /// <summary>The first byte decides: 255 is pending, else one of three clusters.</summary>
    public ItemState State => Upload.Bytes[0] == 255 ? ItemState.Pending : ItemState.Assigned;

    public long? Cluster => State == ItemState.Assigned ? (Upload.Bytes[0] % 3) + 1 : null;

    public byte[] Embedding => [Upload.Bytes[0]];
}
