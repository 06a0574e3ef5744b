using Shoal.Contracts;

namespace Shoal.Fakes;

public sealed class FakeCatalogGrain(FakeStore store) : Grain, ICatalogGrain
{
    public Task<bool> CreateAsync(string name, DatasetSettings settings)
    {
        if (store.Datasets.TryAdd(name, new FakeDataset(settings)))
        {
            return Task.FromResult(true);
        }

        return store.Datasets[name].Settings == settings
            ? Task.FromResult(false)
            : throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{name}' exists with other settings.");
    }

    public Task<string[]> ListAsync() => Task.FromResult(store.Datasets.Keys.Order(StringComparer.Ordinal).ToArray());

    public Task AdoptAsync(string name) => throw new NotSupportedException();

    public Task DeleteAsync(string name)
    {
        store.Dataset(name);
        store.Datasets.TryRemove(name, out _);
        return Task.CompletedTask;
    }
}

public sealed class FakeDatasetGrain(FakeStore store) : Grain, IDatasetGrain
{
    private FakeDataset Dataset => store.Dataset(this.GetPrimaryKeyString());

    public Task<bool> CreateAsync(DatasetSettings settings) => throw new NotSupportedException();

    public Task ReloadAsync() => throw new NotSupportedException();

    public Task SetFirstWeightsAsync(byte[] weights)
    {
        if (weights.Length == 0)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "The weights are no safetensors file.");
        }

        Dataset.FirstWeights = weights;
        return Task.CompletedTask;
    }

    public Task<DatasetSettings> GetSettingsAsync() => Task.FromResult(Dataset.Settings);

    public Task<DatasetAnnouncement> GetAnnouncementAsync() => throw new NotSupportedException();

    public async Task<DatasetStatus> GetStatusAsync()
    {
        string name = this.GetPrimaryKeyString();
        DatasetSettings settings = Dataset.Settings;
        return new DatasetStatus
        {
            Name = name,
            Settings = settings,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Shards = await Task.WhenAll(Enumerable.Range(0, settings.Shards).Select(shard => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(name, shard)).GetStatusAsync())),
            Training = new TrainingStatus
            {
                Activity = settings.Paused ? "paused" : "training",
                Cursors = [],
                Progress = new SeatProgress { Steps = 12, Samples = 3_072, SamplesPerSecond = 250, Losses = new(StringComparer.Ordinal) { ["total"] = 1.25, ["moco"] = double.NaN } },
            },
        };
    }

    public Task<DatasetSettings> ChangeAsync(DatasetChange change) => Task.FromResult(Dataset.Settings = change.Apply(Dataset.Settings));

    public Task SetPausedAsync(bool paused)
    {
        Dataset.Settings = Dataset.Settings with { Paused = paused };
        return Task.CompletedTask;
    }

    public Task DeleteAsync() => throw new NotSupportedException();

    public Task StartAsync() => throw new NotSupportedException();

    public Task<ShardDamage[]> RepairAsync(int? shard) =>
        Task.FromResult<ShardDamage[]>(shard is { } one ? [new ShardDamage(one, 1, 108, 200, 0, 1, "removed/00000001-000000000108.bin")] : []);
}

public sealed class FakeClustersGrain(FakeStore store) : Grain, IClustersGrain
{
    private FakeDataset Dataset => store.Dataset(this.GetPrimaryKeyString());

    public Task<ClusterSummary[]> ListAsync(int exemplars) => Task.FromResult(Dataset.Items.Values
        .Where(item => item.Cluster is not null)
        .GroupBy(item => Dataset.Resolve(item.Cluster!.Value))
        .Select(cluster => new ClusterSummary
        {
            Id = cluster.Key,
            Name = Dataset.Names.GetValueOrDefault(cluster.Key),
            Count = cluster.LongCount(),
            MeanConfidence = 0.9,
            Exemplars = [.. cluster.Select(item => new Exemplar(item.Upload.Id, 0.9f)).OrderBy(item => item.Id, StringComparer.Ordinal).Take(exemplars)],
            BornInVersion = 1,
            Merged = [.. Dataset.Redirects.Where(redirect => redirect.Value == cluster.Key).Select(redirect => redirect.Key)],
        })
        .OrderByDescending(cluster => cluster.Count).ThenBy(cluster => cluster.Id)
        .ToArray());

    public Task NameAsync(long cluster, string name)
    {
        if (cluster is < 1 or > 3)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no cluster {cluster}.");
        }

        if (Dataset.Names.Any(other => other.Key != cluster && string.Equals(other.Value, name, StringComparison.Ordinal)))
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"Another cluster is named '{name}'.");
        }

        Dataset.Names[cluster] = name;
        return Task.CompletedTask;
    }

    public async Task<long> NameByExamplesAsync(string name, string[] examples)
    {
        long[] clusters = [.. examples.Select(id => Dataset.Items.TryGetValue(id, out FakeItem? item)
            ? item.Cluster ?? 0
            : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{this.GetPrimaryKeyString()}'.")).Distinct()];
        if (clusters.Length != 1)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, "No cluster holds most of the examples.");
        }

        await NameAsync(clusters[0], name);
        return clusters[0];
    }

    public Task PinAsync(long cluster, bool pinned) => cluster is < 1 or > 3
        ? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no cluster {cluster}.")
        : Task.CompletedTask;

    public Task<long> MergeAsync(long first, long second) => first == second
        ? throw new ShoalException(ShoalErrorKind.Invalid, "A cluster cannot be merged with itself; give two.")
        : Task.FromResult(Math.Min(first, second));

    public Task UnmergeAsync(long cluster) => Dataset.Redirects.TryRemove(cluster, out _)
        ? Task.CompletedTask
        : throw new ShoalException(ShoalErrorKind.NotFound, $"Nobody merged cluster {cluster} into another.");

    public Task<ClusterDirectory> GetDirectoryAsync() => throw new NotSupportedException();

    public Task RegisterAsync(PublishedVersion version, ClusterFate[] fates) => throw new NotSupportedException();

    public Task RecordAsync(LineageEvent lineageEvent) => throw new NotSupportedException();

    public Task ForgetAsync() => throw new NotSupportedException();

    public Task<LineageEvent[]> GetEventsAsync(int count) => Task.FromResult(Dataset.Names.Take(count)
        .Select(name => new LineageEvent(DateTimeOffset.UnixEpoch, "named", name.Key, 1, $"Named '{name.Value}'.")).ToArray());

    public async Task<EventSlice> GetEventsAfterAsync(long after, int count)
    {
        LineageEvent[] all = await GetEventsAsync(int.MaxValue);
        long from = after < 0 ? all.Length : after;
        return new EventSlice(from + 1, [.. all.Skip((int)from).Take(count)], all.Length);
    }
}

/// <summary>Two versions; rolling back is answered as if it were done.</summary>
public sealed class FakeModelGrain(FakeStore store) : Grain, IModelGrain
{
    /// <summary>The file of every version.</summary>
    public static byte[] File { get; } = [.. Enumerable.Range(0, 2_500_000).Select(i => (byte)(i * 7))];

    public Task<ModelPart> ReadVersionAsync(int version, long offset, int maxBytes) => version is 5 or 7
        ? Task.FromResult(new ModelPart([.. File.Skip((int)offset).Take(maxBytes)], File.Length))
        : throw new ShoalException(ShoalErrorKind.NotFound, $"Version {version} is not kept; there are: 7, 5.");

    private static PublishedVersion Version(int number) =>
        new() { Version = number, Model = new Claim("model", File.Length), Clusters = [1, 2, 3], PublishedAt = DateTimeOffset.UnixEpoch, Reason = "first version" };

    public Task<PublishedVersion[]> GetVersionsAsync()
    {
        store.Dataset(this.GetPrimaryKeyString());
        return Task.FromResult(new[] { Version(7), Version(5) });
    }

    public Task<PublishedVersion> RollbackAsync(int version) => version == 5
        ? Task.FromResult(Version(8) with { Restores = 5 })
        : throw new ShoalException(ShoalErrorKind.NotFound, $"Version {version} is not kept; there are: 7, 5.");

    public Task StartAsync() => throw new NotSupportedException();

    public Task StopAsync() => throw new NotSupportedException();

    public Task<DeliveryReceipt> DeliverAsync(RoundDelivery delivery) => throw new NotSupportedException();

    public Task<PublishedVersion?> GetVersionAsync() => throw new NotSupportedException();

    public Task<TrainingStatus> GetStatusAsync() => throw new NotSupportedException();

    public Task<SeatPlan> GetSeatsAsync() => Task.FromResult(SeatPlan.None);

    public Task DeliverPartAsync(SeatDelivery delivery) => throw new NotSupportedException();

    public Task<RoundOutcome?> GetOutcomeAsync(string seat, long term, long round) => throw new NotSupportedException();

    public Task<Deal> GetDealAsync(string seat, long term) => throw new NotSupportedException();

    public Task ForgetAsync() => throw new NotSupportedException();
}

public sealed class FakeEmbedderGrain(FakeStore store) : Grain, IEmbedderGrain
{
    public Task<long[]> PlaceAsync(string dataset, PublishedVersion version, ItemBatch items) => throw new NotSupportedException();

    public Task<EmbeddedSamples> EmbedAsync(string dataset, PublishedVersion version, SamplesToEmbed samples) => throw new NotSupportedException();

    public Task<string?> WeightsProblemAsync(DatasetSettings settings, byte[] weights) => throw new NotSupportedException();

    public Task<Classification[]> ClassifyAsync(string dataset, ItemBatch items, bool withEmbeddings)
    {
        store.Dataset(dataset);
        return Task.FromResult(Array.ConvertAll(items.Items, item => new Classification
        {
            State = ItemState.Assigned,
            Cluster = (item.Bytes[0] % 3) + 1,
            Confidence = 0.8f,
            Distance = 0.25f,
            ModelVersion = 7,
            Embedding = withEmbeddings ? [item.Bytes[0]] : null,
        }));
    }
}

/// <summary>Everything is copied by the time that somebody asks; a target that says so fails.</summary>
public sealed class FakeBackupGrain(FakeStore store) : Grain, IBackupGrain
{
    private BackupStatus _status = new();

    public Task BackupAsync(string target)
    {
        store.Dataset(this.GetPrimaryKeyString());
        return CopyAsync(target, restores: false);
    }

    public Task RestoreAsync(string source, string name)
    {
        store.Dataset(name);
        return store.Datasets.TryAdd(this.GetPrimaryKeyString(), store.Dataset(name))
            ? CopyAsync(source, restores: true)
            : throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{this.GetPrimaryKeyString()}' exists.");
    }

    public Task<BackupStatus> GetAsync() => Task.FromResult(_status);

    private Task CopyAsync(string place, bool restores)
    {
        bool full = place.Contains("full", StringComparison.Ordinal);
        _status = new BackupStatus
        {
            Activity = full ? BackupActivity.Failed : BackupActivity.Done,
            Restores = restores,
            Place = place,
            Objects = 12,
            Bytes = 3_000_000,
            Problem = full ? "The disk is full." : null,
            StartedAt = DateTimeOffset.UnixEpoch,
        };
        return Task.CompletedTask;
    }
}

/// <summary>Reports of nothing.</summary>
public sealed class FakeReportsGrain : Grain, IReportsGrain
{
    public Task<InvarianceReport> GetInvarianceAsync(int items) => Task.FromResult(new InvarianceReport { Items = items, Movements = [] });

    public Task<BiasReport> GetBiasAsync(int items) => Task.FromResult(new BiasReport { Items = items, Fields = [] });
}
