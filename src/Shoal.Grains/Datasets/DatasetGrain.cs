using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>A dataset's settings and life.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed partial class DatasetGrain(IObjectStore store, TimeProvider time, ILogger<DatasetGrain> logger) : Grain, IDatasetGrain
{
    private StoredDocument<DatasetState> _state = null!;

    private string Name => this.GetPrimaryKeyString();

    private DatasetState State => _state.Value
        ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no dataset '{Name}'; create it with: shoal dataset create {Name}");

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _state = new StoredDocument<DatasetState>(store, StoreNames.Dataset(Name));
        return _state.LoadAsync();
    }

    /// <inheritdoc/>
    public async Task<bool> CreateAsync(DatasetSettings settings)
    {
        if (_state.Value is { } known)
        {
            string[] differences = SettingsDifference.Of(known.Settings, settings);
            return differences.Length == 0
                ? false
                : throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Name}' exists with other settings: {string.Join(", ", differences)}; choose another name or delete it.");
        }

        // What a deletion or a restore left that was killed in its middle must not become part of a new dataset.
        await DatasetObjects.RemoveAsync(store, Name);
        if (settings.StartFrom is { } other)
        {
            PublishedVersion version = await GrainFactory.GetGrain<IModelGrain>(other).GetVersionAsync()
                ?? throw new ShoalException(ShoalErrorKind.Invalid, $"There is no published version of a dataset '{other}' to start from; look with: shoal status {other}");
            StoredObject model = await store.GetAsync(version.Model.Name)
                ?? throw new ShoalException(ShoalErrorKind.Unavailable, $"Version {version.Version} of '{other}' was replaced meanwhile; try again.");
            await PutWeightsAsync(settings, model.Content);
        }

        await SaveAsync(new DatasetState(settings, time.GetUtcNow()));
        return true;
    }

    /// <inheritdoc/>
    public async Task SetFirstWeightsAsync(byte[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        DatasetSettings settings = State.Settings;
        IModelGrain model = GrainFactory.GetGrain<IModelGrain>(Name);
        // No round can end between the look and the new beginning.
        await model.StopAsync();
        try
        {
            if ((await model.GetStatusAsync()).Round > 0)
            {
                throw new ShoalException(ShoalErrorKind.Conflict, $"'{Name}' has learned already; weights are where a dataset begins. Create another one for them.");
            }

            await PutWeightsAsync(settings, weights);
        }
        finally
        {
            await model.StartAsync();
        }
    }

    /// <inheritdoc/>
    public Task ReloadAsync() => _state.LoadAsync();

    /// <inheritdoc/>
    public Task<DatasetSettings> GetSettingsAsync() => Task.FromResult(State.Settings);

    /// <inheritdoc/>
    public async Task<DatasetAnnouncement> GetAnnouncementAsync()
    {
        DatasetSettings settings = State.Settings;
        IModelGrain model = GrainFactory.GetGrain<IModelGrain>(Name);
        Task<PublishedVersion?> version = model.GetVersionAsync();
        Task<SeatPlan> seats = model.GetSeatsAsync();
        Task<ClusterDirectory> directory = GrainFactory.GetGrain<IClustersGrain>(Name).GetDirectoryAsync();
        return new DatasetAnnouncement { Settings = settings, Version = await version, Seats = await seats, Directory = await directory };
    }

    /// <inheritdoc/>
    public async Task<DatasetStatus> GetStatusAsync()
    {
        DatasetState state = State;
        Task<TrainingStatus> training = GrainFactory.GetGrain<IModelGrain>(Name).GetStatusAsync();
        ShardStatus[] shards = await Task.WhenAll(Shards().Select((shard, number) => StatusAsync(shard, number)));
        return new DatasetStatus
        {
            Name = Name,
            Settings = state.Settings,
            CreatedAt = state.CreatedAt,
            Shards = shards,
            Training = await training,
        };
    }

    /// <inheritdoc/>
    public async Task SetPausedAsync(bool paused)
    {
        DatasetState state = State;
        if (state.Settings.Paused != paused)
        {
            await SaveAsync(state with { Settings = state.Settings with { Paused = paused } });
        }

        IModelGrain model = GrainFactory.GetGrain<IModelGrain>(Name);
        await (paused ? model.StopAsync() : model.StartAsync());
    }

    /// <inheritdoc/>
    public async Task<DatasetSettings> ChangeAsync(DatasetChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        DatasetState state = State;
        DatasetSettings settings = change.Apply(state.Settings);
        IModelGrain model = GrainFactory.GetGrain<IModelGrain>(Name);
        if (settings != state.Settings)
        {
            await SaveAsync(state with { Settings = settings });
            if ((settings.RoundSeconds, settings.IdleRehearsalSteps, settings.MaxLag) != (state.Settings.RoundSeconds, state.Settings.IdleRehearsalSteps, state.Settings.MaxLag))
            {
                await model.StopAsync();
            }
        }

        // Also when nothing differs: a change before this one may have failed half-way.
        await model.StartAsync();
        return settings;
    }

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        if (_state.Value is not null)
        {
            // Shards are opened, and old assignments refreshed, before anyone asks; one that is away does not keep the others from being trained on.
            Task<ShardStatus[]> shards = Task.WhenAll(Shards().Select((shard, number) => StatusAsync(shard, number)));
            await GrainFactory.GetGrain<IModelGrain>(Name).StartAsync();
            await shards;
        }
    }

    /// <inheritdoc/>
    public async Task DeleteAsync()
    {
        if (_state.Value is null)
        {
            // A deletion before this one got so far.
            await GrainFactory.GetGrain<IWebhooksGrain>(GrainKeys.Webhooks).ForgetAsync(Name);
            await DatasetObjects.RemoveAsync(store, Name);
            return;
        }

        await GrainFactory.GetGrain<IModelGrain>(Name).StopAsync();
        IShardGrain[] shards = [.. Shards()];
        // The settings go first: from here on nothing can be stored, and a repeated delete finds the rest.
        await _state.DeleteAsync();
        await Task.WhenAll(shards.Select(shard => shard.CloseAsync(removeSidecars: true)));
        await GrainFactory.GetGrain<IModelGrain>(Name).ForgetAsync();
        await GrainFactory.GetGrain<IClustersGrain>(Name).ForgetAsync();
        await GrainFactory.GetGrain<IMemoryBankGrain>(Name).BeginAsync(null, 0);
        await GrainFactory.GetGrain<IWebhooksGrain>(GrainKeys.Webhooks).ForgetAsync(Name);
        var removed = await DatasetObjects.RemoveAsync(store, Name);
        LogDeleted(Name, removed);
    }

    /// <inheritdoc/>
    public async Task<ShardDamage[]> RepairAsync(int? shard)
    {
        var count = State.Settings.Shards;
        if (shard is < 0 || shard >= count)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The dataset '{Name}' has shards 0 to {count - 1}, not {shard}.");
        }

        IReadOnlyDictionary<int, long> used = (await GrainFactory.GetGrain<IModelGrain>(Name).GetStatusAsync()).Cursors.ToDictionary(c => c.Shard, c => c.Next);
        var damages = new List<ShardDamage>();
        foreach (var number in shard is { } one ? [one] : Enumerable.Range(0, count))
        {
            IReadOnlyList<LogDamage> found = await RepairAsync(number, used.GetValueOrDefault(number));
            damages.AddRange(found.Select(d => new ShardDamage(number, d.Segment, d.Offset, d.Bytes, d.FirstSequence, d.Items, d.SavedAs)));
        }

        return [.. damages];
    }

    private async Task<IReadOnlyList<LogDamage>> RepairAsync(int number, long used)
    {
        try
        {
            // Off the turn: it reads the whole log.
            IReadOnlyList<LogDamage> found = await Task.Run(() => LogRepair.RunAsync(store, StoreNames.ShardLog(Name, number), StoreNames.RemovedFromLog(Name, number), used, time));
            if (found.Count > 0)
            {
                LogRepaired(Name, number, found.Count, found.Sum(d => d.Items));
                // An activation that had it open reads what was repaired only when it opens it anew; one that could not has nothing to close.
                await GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Name, number)).CloseAsync(removeSidecars: false);
            }

            return found;
        }
        catch (Exception e) when (e is AppendConflictException or ObjectConflictException)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"Shard {number} of '{Name}' is being written to; try again.", e);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
        catch (StorageCorruptException e)
        {
            throw new ShoalException(ShoalErrorKind.Damaged, e.Message, e);
        }
    }

    // A shard whose log is damaged must not hide the others.
    private static async Task<ShardStatus> StatusAsync(IShardGrain shard, int number)
    {
        try
        {
            return await shard.GetStatusAsync();
        }
        catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
        {
            return new ShardStatus { Shard = number, QuarantineReasons = [], RejectReasons = [], Problem = e.Message };
        }
    }

    private IEnumerable<IShardGrain> Shards() =>
        Enumerable.Range(0, State.Settings.Shards).Select(shard => GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Name, shard)));

    private async Task PutWeightsAsync(DatasetSettings settings, byte[] weights)
    {
        if (await GrainFactory.GetGrain<IEmbedderGrain>(Name).WeightsProblemAsync(settings, weights) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        try
        {
            await store.PutAsync(StoreNames.FirstWeights(Name), weights, PutCondition.Always);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
    }

    private Task SaveAsync(DatasetState state) => this.SaveAsync(_state, state, $"dataset '{Name}'");

    [LoggerMessage(EventId = 200, EventName = "DatasetDeleted", Level = LogLevel.Information, Message = "Dataset {Dataset} deleted with {Objects} objects")]
    private partial void LogDeleted(string dataset, int objects);

    [LoggerMessage(EventId = 201, EventName = "ShardRepaired", Level = LogLevel.Warning, Message = "{Dataset}/{Shard}: {Places} damaged places repaired; {Items} items are lost")]
    private partial void LogRepaired(string dataset, int shard, int places, long items);

    private sealed record DatasetState(DatasetSettings Settings, DateTimeOffset CreatedAt);
}
