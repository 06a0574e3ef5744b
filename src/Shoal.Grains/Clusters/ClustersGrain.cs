using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Storage;

namespace Shoal.Grains.Clusters;

/// <summary>The registry of a dataset's clusters: ids, names, births, events. It computes nothing.</summary>
[Immovable]
internal sealed partial class ClustersGrain(IObjectStore store, TimeProvider time, ILogger<ClustersGrain> logger) : Grain, IClustersGrain
{
    private StoredDocument<ClusterEdits> _edits = null!;
    private StoredDocument<ClusterRegistry> _registry = null!;

    private string Dataset => this.GetPrimaryKeyString();

    private ClusterEdits Edits => _edits.Value ?? ClusterEdits.None;

    private ClusterRegistry Registry => _registry.Value ?? ClusterRegistry.Empty;

    private ClusterDirectory Directory => new() { Revision = Edits.Revision, Names = Edits.Names, Redirects = [] };

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _edits = new StoredDocument<ClusterEdits>(store, StoreNames.ClusterEdits(Dataset));
        _registry = new StoredDocument<ClusterRegistry>(store, StoreNames.ClusterRegistry(Dataset));
        await Task.WhenAll(_edits.LoadAsync(), _registry.LoadAsync());
    }

    /// <inheritdoc/>
    public async Task<ClusterSummary[]> ListAsync(int exemplars)
    {
        ClusterDirectory directory = Directory;
        IReadOnlyDictionary<long, int> born = Registry.Born;
        IShardGrain[] shards = await ShardsAsync();
        ShardMembers[] members = await Task.WhenAll(shards.Select(shard => shard.GetMembersAsync(Math.Clamp(exemplars, 0, 100))));
        ILookup<long, ShardCluster> byCluster = members.SelectMany(m => m.Clusters).ToLookup(c => directory.Resolve(c.Cluster));
        return [.. born.Keys
            .Where(id => directory.Resolve(id) == id)
            .Select(id => Summarize(id, byCluster[id], directory, born[id], exemplars))
            .OrderByDescending(c => c.Count).ThenBy(c => c.Id)];
    }

    /// <inheritdoc/>
    public async Task NameAsync(long cluster, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ClusterEdits edits = Edits.Name(cluster, name, Registry.Born);
        await SaveAsync(_edits, edits);

        // In force for every later query when this returns: each shard is told, and one that cannot be told
        // reads the directory when it activates again.
        ClusterDirectory directory = Directory;
        DatasetAnnouncement announcement = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAnnouncementAsync();
        await Task.WhenAll((await ShardsAsync()).Select(shard => shard.AnnounceAsync(announcement with { Directory = directory })));
        await RecordAsync(new LineageEvent(time.GetUtcNow(), "named", cluster, 0, name.Length == 0 ? "name taken away" : $"named '{name.Trim()}'"));
    }

    /// <inheritdoc/>
    public Task<ClusterDirectory> GetDirectoryAsync() => Task.FromResult(Directory);

    /// <inheritdoc/>
    public async Task RegisterAsync(PublishedVersion version)
    {
        ClusterRegistry registry = Registry.Register(version, time.GetUtcNow());
        if (!ReferenceEquals(registry, Registry))
        {
            await SaveAsync(_registry, registry);
        }
    }

    /// <inheritdoc/>
    public Task<LineageEvent[]> GetEventsAsync(int count) =>
        Task.FromResult(Registry.Events.Reverse().Take(Math.Clamp(count, 0, 1_000)).ToArray());

    /// <inheritdoc/>
    public Task RecordAsync(LineageEvent lineageEvent)
    {
        LogEvent(Dataset, lineageEvent.Kind, lineageEvent.ModelVersion, lineageEvent.Reason);
        return SaveAsync(_registry, Registry.With([lineageEvent]));
    }

    /// <inheritdoc/>
    public Task ForgetAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private static ClusterSummary Summarize(long id, IEnumerable<ShardCluster> parts, ClusterDirectory directory, int born, int exemplars)
    {
        ShardCluster[] all = [.. parts];
        var count = all.Sum(c => c.Count);
        return new ClusterSummary
        {
            Id = id,
            Name = directory.NameOf(id),
            Count = count,
            MeanConfidence = count == 0 ? 0 : all.Sum(c => c.ConfidenceSum) / count,
            Exemplars = [.. all.SelectMany(c => c.Exemplars).OrderByDescending(e => e.Confidence).Take(exemplars)],
            BornInVersion = born,
        };
    }

    private async Task<IShardGrain[]> ShardsAsync()
    {
        DatasetSettings settings = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        return [.. Enumerable.Range(0, settings.Shards).Select(s => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, s)))];
    }

    private async Task SaveAsync<T>(StoredDocument<T> document, T value)
        where T : class
    {
        try
        {
            await document.SaveAsync(value);
        }
        catch (ObjectConflictException e)
        {
            DeactivateOnIdle();
            throw new ShoalException(ShoalErrorKind.Unavailable, $"Another activation of the clusters of '{Dataset}' wrote first; try again.", e);
        }
    }

    [LoggerMessage(EventId = 300, Level = LogLevel.Information, Message = "{Dataset}: {Kind} (version {Version}): {Reason}")]
    private partial void LogEvent(string dataset, string kind, int version, string reason);
}
