using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Streams;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Datasets;
using Shoal.Grains.Hosting;
using Shoal.Grains.Silos;
using Shoal.Grains.Telemetry;
using Shoal.Media;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Owns a slice of a dataset's items: their log, positions and assignments.</summary>
/// <remarks>Reentrant, so that queries are answered while appends wait for storage; state changes only between awaits.</remarks>
[Reentrant, Immovable, RequiresRole(SiloRoles.Data), ShardPlacement]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed partial class ShardGrain(
    IObjectStore store, IEmbeddings embeddings, ShoalSiloOptions options, TimeProvider time, ShardMetrics metrics, OpenShards opened, ILogger<ShardGrain> logger)
    : Grain, IShardGrain
{
    private static readonly TimeSpan ReopenPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, long> _rejected = new(StringComparer.Ordinal);
    private readonly SortedList<int, DateTimeOffset> _publishedAt = [];
    private string _dataset = string.Empty;
    private int _shard;
    private DatasetSettings _settings = null!;
    private ClusterDirectory _directory = new() { Names = [], Redirects = [] };
    private string? _seat;
    private IAsyncStream<ArrivalHint>? _hints;
    private ISampleDecoder _decoder = null!;
    private ShardStore _items = null!;
    private IndexPump _pump = null!;
    private ShardReader _reader = null!;
    private ShardFeed _feed = null!;
    private ShardListing _listing = null!;
    private ShardEmbeddings _embeddings = null!;
    private long _stale;
    private IDisposable[] _gauges = [];
    private Task _pumping = Task.CompletedTask;
    private Task _reopening = Task.CompletedTask;

    private ShardSurroundings Surroundings => new(_shard, _directory, _publishedAt);

    private string SidecarDirectory => Path.Combine(options.SidecarDirectory, _dataset, _shard.ToString("D4", null));

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_dataset, var number) = GrainKeys.Split(this.GetPrimaryKeyString());
        DatasetAnnouncement announcement = await GrainFactory.GetGrain<IDatasetGrain>(_dataset).GetAnnouncementAsync();
        _settings = announcement.Settings;
        if (!int.TryParse(number, out _shard) || _shard < 0 || _shard >= _settings.Shards)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"Dataset '{_dataset}' has shards 0 to {_settings.Shards - 1}, not '{number}'.");
        }

        _decoder = MediaSettings.Decoder(_settings);
        // Off the turn: a million items are a second of reading.
        try
        {
            _items = await Task.Run(() => ShardStore.OpenAsync(store, StoreNames.ShardLog(_dataset, _shard), SidecarDirectory, options.SidecarCopySeconds > 0 ? StoreNames.SidecarCopies(_dataset, _shard) : null, time, cancellationToken), cancellationToken);
        }
        catch (StorageCorruptException e)
        {
            LogDamaged(_dataset, _shard, e.Message);
            throw Damaged(e);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }

        _pump = new IndexPump(
            new IndexPumpParts(_dataset, _items, embeddings, _decoder, options.PumpBatch, time, logger));
        _reader = new ShardReader(_items, _pump, time);
        _feed = new ShardFeed(_items);
        _listing = new ShardListing(_items, _reader);
        _embeddings = new ShardEmbeddings(_items);
        await AnnounceAsync(announcement);
        _pumping = PumpAsync();
        this.RegisterGrainTimer(PollAsync, new GrainTimerCreationOptions(TimeSpan.FromSeconds(options.PollSeconds), TimeSpan.FromSeconds(options.PollSeconds)) { Interleave = true });
        this.RegisterGrainTimer(EraseAsync, new GrainTimerCreationOptions(TimeSpan.FromSeconds(options.EraseSeconds), TimeSpan.FromSeconds(options.EraseSeconds)) { Interleave = true });
        if (options.SidecarCopySeconds > 0)
        {
            this.RegisterGrainTimer(CopyAsync, new GrainTimerCreationOptions(TimeSpan.FromSeconds(options.SidecarCopySeconds), TimeSpan.FromSeconds(options.SidecarCopySeconds)) { Interleave = true });
        }

        BeginMetrics();
        opened.Add(this.AsReference<IShardGrain>());
        LogOpened(_dataset, _shard, _items.Index.Count, _items.Log.Epoch);
        if (_items.Changes.IsNew && _items.Index.Count > 0)
        {
            LogForgotten(_dataset, _shard, _items.Log.Epoch);
        }
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var isOpen = _items is not null && !_stop.IsCancellationRequested;
        EndMetrics();
        opened.Remove(this.AsReference<IShardGrain>());
        if (isOpen)
        {
            await StopAsync();
            await CopyAsync(() => _items!.HandOverAsync(cancellationToken));
            await _items!.DisposeAsync();
        }

        _stop.Dispose();
    }

    /// <inheritdoc/>
    public async Task<ItemResult[]> AppendAsync(ItemBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using Timing timing = metrics.Append(time, _dataset, Traces.Source.StartActivity(Traces.Append));
        ItemResult[] results = await WriteAsync(() => _items.AppendAsync(batch.Items, Refusal).WaitAsync(cancellationToken));
        Trace(timing.Span, results);
        metrics.Ingested(_dataset, results);
        foreach (ItemResult result in results)
        {
            if (result.Outcome is IngestOutcome.Rejected or IngestOutcome.Conflict)
            {
                var reason = result.Reason ?? "unknown";
                // Reasons hold sizes and ids; the count is kept by their first sentence only while there are few.
                var key = _rejected.ContainsKey(reason) || _rejected.Count < 50 ? reason : "other";
                _rejected[key] = _rejected.GetValueOrDefault(key) + 1;
            }
        }

        _pump.Wake();
        Hint();
        return results;
    }

    /// <inheritdoc/>
    public async Task<bool[]> DeleteAsync(string[] ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var known = await WriteAsync(() => _items.DeleteAsync(ids));
        _reader.Forget();
        return known;
    }

    /// <inheritdoc/>
    public Task<long[]> GetGoneAsync(long[] sequences)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        return Task.FromResult(_items.Gone(sequences));
    }

    /// <summary>Writes to the log, and says what its failures mean to a caller.</summary>
    private async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (LogFullException e)
        {
            metrics.Failed(_dataset, ShoalErrorKind.Overloaded);
            throw new ShoalException(ShoalErrorKind.Overloaded, e.Message, e);
        }
        catch (LogFencedException e)
        {
            // Another activation owns the log now: this one must not answer anything more.
            metrics.Failed(_dataset, ShoalErrorKind.Unavailable);
            DeactivateOnIdle();
            throw new ShoalException(ShoalErrorKind.Unavailable, $"Shard {_shard} of '{_dataset}' has moved; try again.", e);
        }
        catch (StorageUnavailableException e)
        {
            metrics.Failed(_dataset, ShoalErrorKind.Unavailable);
            if (_items.Log.Fault is not null)
            {
                // It has to be read again before anything more is appended; what is known can be asked for meanwhile.
                _reopening = _reopening.IsCompleted ? ReopenAsync() : _reopening;
            }

            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public Task<ItemAnswer> GetAsync(string id)
    {
        using Timing timing = metrics.Query(time, _dataset, "item");
        return Task.FromResult(_reader.Answer(id, Surroundings));
    }

    /// <inheritdoc/>
    public async Task<ItemAnswer> GetFreshAsync(string id)
    {
        using Timing timing = metrics.Query(time, _dataset, "fresh");
        if (id is not null && Names.ItemIdProblem(id) is null && _items.TryFind(id, out var sequence))
        {
            await ReadStoreAsync(async () =>
            {
                await _pump.FreshenAsync(sequence);
                return true;
            });
        }

        return _reader.Answer(id!, Surroundings);
    }

    /// <inheritdoc/>
    public Task<ItemAnswer[]> QueryAsync(string[] ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        using Timing timing = metrics.Query(time, _dataset, "items");
        return Task.FromResult(Array.ConvertAll(ids, id => _reader.Answer(id, Surroundings)));
    }

    /// <inheritdoc/>
    public Task<ItemContent?> GetContentAsync(string id) => ReadStoreAsync(() => _reader.ContentAsync(id));

    /// <inheritdoc/>
    public Task<EmbeddingAnswer?> GetEmbeddingAsync(string id) => Task.FromResult(_reader.Embedding(id));

    /// <inheritdoc/>
    public Task<LogSlice> ReadAsync(long from, int maxItems, int maxBytes) => ReadStoreAsync(() => _reader.SliceAsync(from, maxItems, maxBytes));

    /// <inheritdoc/>
    public Task<ItemSlice> ReadItemsAsync(long from, int maxItems, int maxBytes) => ReadStoreAsync(() => _reader.ItemsAsync(from, maxItems, maxBytes));

    /// <inheritdoc/>
    public async Task<ShardSimilar> FindSimilarAsync(byte[] embedding, int modelVersion, int count)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        using Timing timing = metrics.Query(time, _dataset, "similar");
        Half[] query = MemoryMarshal.Cast<byte, Half>(embedding).ToArray();
        return await ReadStoreAsync(() => _reader.SimilarAsync(query, modelVersion, Math.Clamp(count, 1, 1_000), _directory));
    }

    /// <inheritdoc/>
    public Task<ShardChanges> GetChangesAsync(FeedPlace after, int limit) =>
        ReadStoreAsync(() => _feed.ReadAsync(after, Math.Clamp(limit, 1, 10_000), _shard, _directory));

    /// <inheritdoc/>
    public Task<ItemHistory?> GetHistoryAsync(string id, int limit) =>
        ReadStoreAsync(() => Task.FromResult(_feed.History(id, Math.Clamp(limit, 1, 1_000), _shard, _directory)));

    /// <inheritdoc/>
    public Task<ShardItems> ListAsync(ItemFilter filter, ListPlace from, int limit)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return ReadStoreAsync(() => _listing.ReadAsync(filter, from, Math.Clamp(limit, 1, 1_000), Surroundings));
    }

    /// <inheritdoc/>
    public Task<EmbeddingSlice> ReadEmbeddingsAsync(long from, int maxItems) => ReadStoreAsync(() => _embeddings.ReadAsync(from, Math.Clamp(maxItems, 1, 1_000)));

    /// <inheritdoc/>
    public Task<ShardMembers> GetMembersAsync(int exemplars) => ReadStoreAsync(() => _reader.MembersAsync(Math.Clamp(exemplars, 0, 100)));

    /// <inheritdoc/>
    public Task<ShardStatus> GetStatusAsync() => Task.FromResult(_reader.Status(_shard, _publishedAt) with
    {
        RejectReasons = new Dictionary<string, long>(_rejected, StringComparer.Ordinal),
    });

    /// <inheritdoc/>
    public Task AnnounceAsync(DatasetAnnouncement announcement)
    {
        ArgumentNullException.ThrowIfNull(announcement);
        _settings = announcement.Settings;
        if (announcement.Directory is { } directory && directory.Revision >= _directory.Revision)
        {
            _directory = directory;
        }

        if (announcement.Version is { } version)
        {
            _publishedAt[version.Version] = version.PublishedAt;
            _pump.Use(version);
        }

        CountStale();

        if (announcement.Seats.SeatOf(_shard) is var seat && !string.Equals(_seat, seat, StringComparison.Ordinal))
        {
            _seat = seat;
            _hints = _seat is null ? null : this.GetStreamProvider(StreamNames.Provider).GetStream<ArrivalHint>(StreamNames.Arrivals, _seat);
            Hint();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task CloseAsync(bool removeSidecars)
    {
        await StopAsync();
        await _items.DisposeAsync();
        if (removeSidecars && Directory.Exists(SidecarDirectory))
        {
            Directory.Delete(SidecarDirectory, recursive: true);
        }

        DeactivateOnIdle();
    }

    /// <summary>Why an item is refused at the door; null when it is taken.</summary>
    private string? Refusal(ItemUpload upload) => _decoder.Check(upload.MediaType, upload.Bytes)?.Message;

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        try
        {
            await AnnounceAsync(await GrainFactory.GetGrain<IDatasetGrain>(_dataset).GetAnnouncementAsync());
        }
        catch (ShoalException e) when (e.Kind == ShoalErrorKind.NotFound)
        {
            DeactivateOnIdle();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            LogPollFailed(_dataset, _shard, e.Message);
        }
    }

    /// <summary>Reads from the log, and says what its failures mean to a caller.</summary>
    private async Task<T> ReadStoreAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
        catch (StorageCorruptException e)
        {
            throw Damaged(e);
        }
    }

    private ShoalException Damaged(StorageCorruptException e) =>
        new(ShoalErrorKind.Damaged, e.IsNewer ? e.Message : $"{e.Message} (./shoal repair {_dataset} --shard {_shard})", e);

    // A hint is lossy by design: nobody waits for it, and the seat polls.
    private void Hint() => _hints?.OnNextAsync(new ArrivalHint(_shard, _items.Index.Count)).Ignore();

    [LoggerMessage(EventId = 810, EventName = "ShardOpened", Level = LogLevel.Debug, Message = "{Dataset}/{Shard}: open with {Items} items at epoch {Epoch}")]
    private partial void LogOpened(string dataset, int shard, long items, long epoch);

    [LoggerMessage(EventId = 820, EventName = "ChangesForgotten", Level = LogLevel.Information, Message = "{Dataset}/{Shard}: changes before epoch {Epoch} are not kept here; readers are told how all items stand")]
    private partial void LogForgotten(string dataset, int shard, long epoch);

    [LoggerMessage(EventId = 811, EventName = "PollFailed", Level = LogLevel.Warning, Message = "{Dataset}/{Shard}: polling failed: {Reason}")]
    private partial void LogPollFailed(string dataset, int shard, string reason);

    [LoggerMessage(EventId = 813, EventName = "LogDamaged", Level = LogLevel.Error, Message = "{Dataset}/{Shard}: the log cannot be opened: {Reason}")]
    private partial void LogDamaged(string dataset, int shard, string reason);
}
