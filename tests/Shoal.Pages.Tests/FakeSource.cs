using Shoal.Client;
using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Tests;

/// <summary>A silo that says what a test wants, and counts how often it is asked.</summary>
internal sealed class FakeSource : IShoalSource
{
    private int _calls;

    public Dictionary<string, DatasetStatus> Datasets { get; } = new(StringComparer.Ordinal);

    public List<ClusterSummary> Clusters { get; } = [];

    public List<LineageEvent> Events { get; } = [];

    public List<PublishedVersion> Versions { get; } = [];

    public List<EmbeddingSlice> Embeddings { get; } = [];

    public Dictionary<string, ItemAnswer> Items { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, ItemHistory> Histories { get; } = new(StringComparer.Ordinal);

    public List<SiloDescription> Silos { get; } = [];

    public Dictionary<string, DatasetPlaces> Places { get; } = new(StringComparer.Ordinal);

    public List<ItemUpload> Stored { get; } = [];

    public List<string> Edits { get; } = [];

    /// <summary>What every call throws; null for none.</summary>
    public ShoalException? Failure { get; set; }

    public int Calls => _calls;

    public static DatasetStatus Status(string name, DatasetSettings? settings = null, params ShardStatus[] shards) => new()
    {
        Name = name,
        Settings = settings ?? new DatasetSettings { Shards = 1 },
        Shards = shards.Length > 0 ? shards : [Shard(0)],
        Training = new TrainingStatus
        {
            Activity = "training",
            Cursors = [new ShardCursor(0, 60)],
        },
    };

    public static ShardStatus Shard(int number) => new()
    {
        Shard = number,
        End = 100,
        Items = 100,
        Assigned = 90,
        Pending = 10,
        QuarantineReasons = new(StringComparer.Ordinal),
        RejectReasons = new(StringComparer.Ordinal),
    };

    public static ClusterSummary Cluster(long id, long count, string? name = null, params string[] exemplars) => new()
    {
        Id = id,
        Name = name,
        Count = count,
        MeanConfidence = 0.9,
        Exemplars = Array.ConvertAll(exemplars, exemplar => new Exemplar(exemplar, 0.95f)),
        BornInVersion = 1,
    };

    public Task<string[]> ListDatasetsAsync(CancellationToken cancellationToken) => Answer(() => Datasets.Keys.Order(StringComparer.Ordinal).ToArray());

    public Task<DatasetStatus> StatusAsync(string dataset, CancellationToken cancellationToken) => Answer(() => Datasets.TryGetValue(dataset, out DatasetStatus? status)
        ? status
        : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no dataset '{dataset}'."));

    public Task<LineageEvent[]> EventsAsync(string dataset, int count, CancellationToken cancellationToken) => Answer(() => Events.Take(count).ToArray());

    public Task<ClusterSummary[]> ClustersAsync(string dataset, int exemplars, CancellationToken cancellationToken) => Answer(() => Clusters.ToArray());

    public Task<PublishedVersion[]> VersionsAsync(string dataset, CancellationToken cancellationToken) => Answer(() => Versions.ToArray());

    public Task<EmbeddingSlice[]> SampleEmbeddingsAsync(string dataset, int count, CancellationToken cancellationToken) => Answer(() => Embeddings.ToArray());

    public Task<ItemAnswer[]> GetManyAsync(string dataset, IReadOnlyList<string> ids, CancellationToken cancellationToken) =>
        Answer(() => ids.Select(id => Items.GetValueOrDefault(id) ?? new ItemAnswer { Id = id }).ToArray());

    public Task<SimilarAnswer> SimilarAsync(string dataset, string id, int count, CancellationToken cancellationToken) => Answer(() => new SimilarAnswer
    {
        Items = [new SimilarItem("near", 0.8f, 1)],
        ModelVersion = 1,
        Coverage = 0.5,
    });

    public Task<ItemHistory> HistoryAsync(string dataset, string id, int limit, CancellationToken cancellationToken) =>
        Answer(() => Histories.GetValueOrDefault(id) ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}'."));

    public Task<SiloDescription[]> SilosAsync(CancellationToken cancellationToken) => Answer(() => Silos.ToArray());

    public Task<IReadOnlyList<SeatPlace>> SeatsAsync(string dataset, CancellationToken cancellationToken) => Answer(() => Places.GetValueOrDefault(dataset)?.Seats ?? []);

    public Task<DatasetPlaces> PlacesAsync(string dataset, CancellationToken cancellationToken) => Answer(() => Places.GetValueOrDefault(dataset) ?? new DatasetPlaces(dataset, [], []));

    public Task NameClusterAsync(string dataset, long cluster, string name, CancellationToken cancellationToken) => Edit($"{dataset}: {cluster} is {name}");

    public Task<long> MergeClustersAsync(string dataset, long first, long second, CancellationToken cancellationToken)
    {
        Edits.Add($"{dataset}: {first} and {second} are one");
        return Answer(() => first);
    }

    public List<AuditEntry> Audit { get; } = [];

    public Task RecordAuditAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        Audit.Add(entry);
        return Task.CompletedTask;
    }

    public Task<bool> CreateDatasetAsync(string name, DatasetSettings settings, CancellationToken cancellationToken) => Answer(() => Datasets.TryAdd(name, Status(name, settings)));

    public Task<IReadOnlyList<IngestResult>> StoreAsync(string dataset, ItemUpload file, CancellationToken cancellationToken)
    {
        Stored.Add(file);
        return Answer<IReadOnlyList<IngestResult>>(() =>
            [file.Bytes[0] == 0 ? new IngestResult(file.Id, IngestOutcome.Conflict, 0, -1, "The id holds other bytes.") : new IngestResult(file.Id, IngestOutcome.Accepted, 0, 1, Reason: null)]);
    }

    private Task<string> Edit(string edit)
    {
        Edits.Add(edit);
        return Answer(() => edit);
    }

    private Task<T> Answer<T>(Func<T> answer)
    {
        Interlocked.Increment(ref _calls);
        return Failure is { } failure ? Task.FromException<T>(failure) : Task.FromResult(answer());
    }
}
