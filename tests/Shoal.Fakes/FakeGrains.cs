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
}

public sealed class FakeClustersGrain(FakeStore store) : Grain, IClustersGrain
{
    private FakeDataset Dataset => store.Dataset(this.GetPrimaryKeyString());

    public Task<ClusterSummary[]> ListAsync(int exemplars) => Task.FromResult(Dataset.Items.Values
        .Where(item => item.Cluster is not null)
        .GroupBy(item => item.Cluster!.Value)
        .Select(cluster => new ClusterSummary
        {
            Id = cluster.Key,
            Name = Dataset.Names.GetValueOrDefault(cluster.Key),
            Count = cluster.LongCount(),
            MeanConfidence = 0.9,
            Exemplars = [.. cluster.Select(item => new Exemplar(item.Upload.Id, 0.9f)).OrderBy(item => item.Id, StringComparer.Ordinal).Take(exemplars)],
            BornInVersion = 1,
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

    public Task<ClusterDirectory> GetDirectoryAsync() => throw new NotSupportedException();

    public Task RegisterAsync(PublishedVersion version) => throw new NotSupportedException();

    public Task RecordAsync(LineageEvent lineageEvent) => throw new NotSupportedException();

    public Task ForgetAsync() => throw new NotSupportedException();

    public Task<LineageEvent[]> GetEventsAsync(int count) => Task.FromResult(Dataset.Names.Take(count)
        .Select(name => new LineageEvent(DateTimeOffset.UnixEpoch, "named", name.Key, 1, $"Named '{name.Value}'.")).ToArray());
}

public sealed class FakeEmbedderGrain(FakeStore store) : Grain, IEmbedderGrain
{
    public Task<Classification[]> ClassifyAsync(string dataset, ItemBatch items, bool withEmbeddings)
    {
        store.Dataset(dataset);
        return Task.FromResult(Array.ConvertAll(items.Items, item => new Classification
        {
            State = ItemState.Assigned,
            Cluster = (item.Bytes[0] % 3) + 1,
            Confidence = 0.8f,
            ModelVersion = 7,
            Embedding = withEmbeddings ? [item.Bytes[0]] : null,
        }));
    }
}
