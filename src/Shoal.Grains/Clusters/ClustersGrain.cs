using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Hosting;
using Shoal.Grains.Shards;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Clusters;

/// <summary>The registry of a dataset's clusters: ids, names, pins, merges, lives, events. It computes nothing.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed partial class ClustersGrain(IObjectStore store, TimeProvider time, ILogger<ClustersGrain> logger) : Grain, IClustersGrain
{
    // So many of a cluster's items show what its name means: enough for a majority that one stray item does not turn.
    private const int ExamplesOfName = 9;
    private const int MostExamples = 100;

    // Each name's examples are asked at once with those of others: a request waits for the step that is under way.
    private const int MostPlacedAtOnce = 512;

    private StoredDocument<ClusterEdits> _edits = null!;
    private StoredDocument<ClusterRegistry> _registry = null!;
    private ClusterDirectory? _directory;

    private string Dataset => this.GetPrimaryKeyString();

    private ClusterEdits Edits => _edits.Value ?? ClusterEdits.None;

    private ClusterRegistry Registry => _registry.Value ?? ClusterRegistry.Empty;

    // Every classification asks for it: made once for each change.
    private ClusterDirectory Directory => _directory ??= ClusterNaming.Directory(Edits, Registry);

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
        ClusterRegistry registry = Registry;
        ILookup<long, ShardCluster> byCluster = (await MembersAsync(exemplars)).ToLookup(c => directory.Resolve(c.Cluster));
        ILookup<long, long> merged = directory.Redirects.ToLookup(r => r.Value, r => r.Key);
        return [.. registry.Lives
            .Where(life => directory.Resolve(life.Key) == life.Key && (life.Value.Ended is null || byCluster.Contains(life.Key)))
            .Select(life => Summarize(life.Key, byCluster[life.Key], directory, life.Value.Born, exemplars) with { Merged = [.. merged[life.Key].Order()] })
            .OrderByDescending(c => c.Count).ThenBy(c => c.Id)];
    }

    /// <inheritdoc/>
    public async Task NameAsync(long cluster, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        cluster = Known(cluster);
        ImmutableArray<string> examples = [.. (await MembersAsync(ExamplesOfName))
            .Where(part => Directory.Resolve(part.Cluster) == cluster)
            .SelectMany(part => part.Exemplars).OrderByDescending(e => e.Confidence).Take(ExamplesOfName).Select(e => e.Id)];
        await NameAsync(cluster, name, examples);
    }

    /// <inheritdoc/>
    public async Task<long> NameByExamplesAsync(string name, string[] examples)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(examples);
        if (name.Trim().Length == 0 || examples.Length is 0 or > MostExamples)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"Give a name and the ids of 1 to {MostExamples} items that show what it means; there are {examples.Length}.");
        }

        if (examples.Select(Names.ItemIdProblem).FirstOrDefault(p => p is not null) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        string[] ids = [.. examples.Distinct(StringComparer.Ordinal)];
        IShardGrain[] shards = await ShardsAsync();
        ItemAnswer[] answers = await Task.WhenAll(ids.Select(id => shards[ItemKey.Of(id).Shard(shards.Length)].GetAsync(id)));
        if (Array.Find(answers, a => a.State == ItemState.Unknown) is { } unknown)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{unknown.Id}' in the dataset '{Dataset}'.");
        }

        (long Cluster, int Count)[] places = [.. answers.Where(a => a.Cluster is not null).CountBy(a => a.Cluster!.Value).OrderByDescending(p => p.Value).Select(p => (p.Key, p.Value))];
        if (places.Length == 0 || places[0].Count * 2 <= answers.Length)
        {
            throw new ShoalException(
                ShoalErrorKind.Conflict,
                places.Length == 0
                    ? "None of the examples is in a cluster yet; wait for a version, or give other items."
                    : $"No cluster holds most of the examples: {string.Join(", ", places.Select(p => $"{p.Count} of {answers.Length} in cluster {p.Cluster}"))}. Give other items, or name a cluster by its id.");
        }

        await NameAsync(places[0].Cluster, name, [.. ids]);
        return places[0].Cluster;
    }

    /// <inheritdoc/>
    public Task PinAsync(long cluster, bool pinned)
    {
        // What was merged away is let go by its own id.
        cluster = Edits.Pins.Contains(cluster) ? cluster : Known(cluster);
        return EditAsync(Edits.Pin(cluster, pinned), pinned ? "pinned" : "unpinned", cluster, pinned ? "it stays in later versions" : "later versions may unite it with others");
    }

    /// <inheritdoc/>
    public async Task<long> MergeAsync(long first, long second)
    {
        if (first == second)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A cluster cannot be merged with itself; give two.");
        }

        (first, second) = (Known(first), Known(second));
        if (first == second)
        {
            // Merged before: the answer to this very call may have been lost.
            return first;
        }

        ClusterDirectory directory = Directory;
        ILookup<long, long> counts = (await MembersAsync(0)).ToLookup(c => directory.Resolve(c.Cluster), c => c.Count);
        (var from, var into) = counts[first].Sum() >= counts[second].Sum() ? (second, first) : (first, second);
        await EditAsync(Edits.Merge(from, into, ClusterNaming.Bearers(Edits, Registry)), "merged", from, $"a user merged it into cluster {into}");
        return into;
    }

    /// <inheritdoc/>
    public Task UnmergeAsync(long cluster) => EditAsync(Edits.Unmerge(cluster), "unmerged", cluster, "a user took its merge back");

    /// <inheritdoc/>
    public Task<ClusterDirectory> GetDirectoryAsync() => Task.FromResult(Directory);

    /// <inheritdoc/>
    public async Task RegisterAsync(PublishedVersion version, ClusterFate[] fates)
    {
        DateTimeOffset now = time.GetUtcNow();
        ClusterEdits edits = Edits;
        ClusterRegistry registry = Registry.Register(version, fates, now);
        if (ReferenceEquals(registry, Registry))
        {
            return;
        }

        if (edits.Names.Length > 0)
        {
            IReadOnlyDictionary<string, long[]> places = await PlacesAsync(version, edits);
            registry = ClusterNaming.Move(registry, edits, ClusterNaming.Follow(edits, registry, version.Clusters, places), now);
        }

        await SaveAsync(_registry, registry);
    }

    /// <inheritdoc/>
    public Task<LineageEvent[]> GetEventsAsync(int count) =>
        Task.FromResult(Registry.Events.AsEnumerable().Reverse().Take(Math.Clamp(count, 0, 1_000)).ToArray());

    /// <inheritdoc/>
    public Task<EventSlice> GetEventsAfterAsync(long after, int count) => Task.FromResult(Registry.After(after, Math.Clamp(count, 0, 1_000)));

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
            Pinned = directory.Pinned.Contains(id),
        };
    }

    /// <summary>The cluster that answers for an id, and that the published version shows.</summary>
    /// <exception cref="ShoalException">NotFound.</exception>
    private long Known(long cluster)
    {
        var known = Directory.Resolve(cluster);
        ClusterLife? life = Registry.Lives.GetValueOrDefault(known);
        return life is { Ended: null }
            ? known
            : throw new ShoalException(
                ShoalErrorKind.NotFound,
                $"There is no cluster {cluster}{(life is null ? string.Empty : $" since version {life.Ended}")}; see them with: shoal clusters {Dataset}");
    }

    private Task NameAsync(long cluster, string name, ImmutableArray<string> examples) => EditAsync(
        Edits.Name(cluster, name, examples, ClusterNaming.Bearers(Edits, Registry)), "named", cluster, name.Trim().Length == 0 ? "name taken away" : $"named '{name.Trim()}'");

    /// <summary>Makes an edit durable, and then known: in force for every later query when this returns.</summary>
    private async Task EditAsync(ClusterEdits edits, string kind, long cluster, string reason)
    {
        if (ReferenceEquals(edits, Edits))
        {
            return;
        }

        await SaveAsync(_edits, edits);

        // Each shard is told, and one that cannot be told reads the directory when it activates again.
        DatasetAnnouncement announcement = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAnnouncementAsync();
        await (await ShardsAsync()).TellUsableAsync(shard => shard.AnnounceAsync(announcement with { Directory = Directory }));
        await RecordAsync(new LineageEvent(time.GetUtcNow(), kind, cluster, Registry.Version, reason));
    }

    /// <summary>The cluster of each name's examples in a version; without those that cannot be asked now.</summary>
    private async Task<IReadOnlyDictionary<string, long[]>> PlacesAsync(PublishedVersion version, ClusterEdits edits)
    {
        try
        {
            IShardGrain[] shards = await ShardsAsync();
            var places = new List<(string Name, long Cluster)>();
            foreach ((string Name, string Id)[] chunk in edits.Names.SelectMany(given => given.Examples.Select(id => (given.Name, id))).Chunk(MostPlacedAtOnce))
            {
                (string Name, ItemContent? Content)[] asked = await Task.WhenAll(chunk.Select(async example =>
                    (example.Name, await shards[ItemKey.Of(example.Id).Shard(shards.Length)].GetContentAsync(example.Id))));
                asked = Array.FindAll(asked, example => example.Content is not null);
                ItemUpload[] items = Array.ConvertAll(asked, e => new ItemUpload { Id = e.Content!.Id, MediaType = e.Content.MediaType, Bytes = e.Content.Bytes });
                var placed = await GrainFactory.GetGrain<IEmbedderGrain>(Dataset).PlaceAsync(Dataset, version, new ItemBatch(items));
                places.AddRange(asked.Zip(placed, (example, cluster) => (example.Name, cluster)));
            }

            return places.GroupBy(place => place.Name, place => place.Cluster, StringComparer.Ordinal).ToDictionary(name => name.Key, name => name.ToArray(), StringComparer.Ordinal);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            // The version must not wait: names stay with their ids until the next.
            LogNamesStay(Dataset, version.Version, e);
            return new Dictionary<string, long[]>(StringComparer.Ordinal);
        }
    }

    private async Task<ShardCluster[]> MembersAsync(int exemplars)
    {
        ShardMembers[] members = await (await ShardsAsync()).UsableAsync(shard => shard.GetMembersAsync(Math.Clamp(exemplars, 0, 100)));
        return [.. members.SelectMany(m => m.Clusters)];
    }

    private async Task<IShardGrain[]> ShardsAsync()
    {
        DatasetSettings settings = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        return [.. Enumerable.Range(0, settings.Shards).Select(s => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, s)))];
    }

    private async Task SaveAsync<T>(StoredDocument<T> document, T value)
        where T : class
    {
        await GrainDocuments.SaveAsync(this, document, value, $"the clusters of '{Dataset}'");
        _directory = null;
    }

    [LoggerMessage(EventId = 300, EventName = "ClusterEvent", Level = LogLevel.Information, Message = "{Dataset}: {Kind} (version {Version}): {Reason}")]
    private partial void LogEvent(string dataset, string kind, int version, string reason);

    [LoggerMessage(EventId = 301, EventName = "ClusterNamesKept", Level = LogLevel.Warning, Message = "{Dataset}: names stay with their clusters in version {Version}: their examples cannot be asked")]
    private partial void LogNamesStay(string dataset, int version, Exception exception);
}
