namespace Shoal.Storage;

/// <summary>A shard's append-only record of items: acknowledges what is durable, and lets only its newest opener write.</summary>
/// <remarks>
/// Opening appends an epoch record at the end that was read. Every append names the length it expects, so from then on an earlier
/// writer's append fails and it acknowledges nothing more (docs/decisions/0001-fencing-in-the-log.md). One append is in flight while
/// the next batch gathers. Safe for concurrent use; nothing here blocks the caller's thread.
/// </remarks>
public sealed partial class ShardLog : IAsyncDisposable
{
    private readonly IObjectStore _store;
    private readonly LogSegments _segments;
    private readonly ShardLogOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogReplayTarget _index;
    private readonly Lock _gate = new();
    private readonly Queue<Call> _queue = new();
    private int _waitingItems;
    private long _waitingBytes;
    private bool _closed;
    private StorageException? _fault;
    private Task _flushing = Task.CompletedTask;
    private bool _isFlushing;

    private ShardLog(IObjectStore store, LogSegments segments, ShardLogOptions options, TimeProvider time, ILogReplayTarget index, LogScanner scanner, string writer)
    {
        (_store, _segments, _options, _time, _index, _writer) = (store, segments, options, time, index, writer);
        Epoch = scanner.Epoch;
        _tail = scanner.Checkpoint;
        _identity = _tail.Log - segments.Changes;
        _currentSegment = _tail.Segment;
        _nextSequence = scanner.NextSequence;
    }

    /// <summary>This opener's epoch, from 1; the newest opener has the highest.</summary>
    public long Epoch { get; }

    /// <summary>The first sequence number that no durable item has.</summary>
    public long NextSequence => Volatile.Read(ref _nextSequence);

    /// <summary>Bytes of all segments that are durable.</summary>
    public long DurableBytes => Volatile.Read(ref _durableBytes);

    /// <summary>Appends that this writer has made; each is one sync on files.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    /// <summary>Why this log cannot go on (<see cref="LogFencedException"/> mostly); null while it can.</summary>
    public StorageException? Fault
    {
        get
        {
            lock (_gate)
            {
                return _fault;
            }
        }
    }

    /// <summary>Opens a log, creating it when absent, and fences off whoever opened it before.</summary>
    /// <param name="store">Where the segments are.</param>
    /// <param name="prefix">The start of their names, without a slash at the end: <c>datasets/digits/shards/0003/log</c>.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Stamps the records.</param>
    /// <param name="index">Brought up to date here, and filled with every later item before its append returns.</param>
    /// <param name="ct">Cancels the opening.</param>
    /// <exception cref="StorageCorruptException">Acknowledged bytes are damaged.</exception>
    /// <exception cref="StorageUnavailableException">The store does not answer, or other openers won every race; retry.</exception>
    public static async Task<ShardLog> OpenAsync(
        IObjectStore store, string prefix, ShardLogOptions options, TimeProvider time, ILogReplayTarget index, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(index);
        ObjectNames.Check(prefix);
        options.Validate();
        LogSegments segments = new(store, prefix);
        string writer = LogWriterName.Create();
        for (int attempt = 0; attempt < options.OpenAttempts; attempt++)
        {
            try
            {
                LogScanner scanner = new(store, segments, options.ReadBytes, index);
                List<long> lengths = await segments.ListAsync(ct);
                await scanner.StartAsync(ct);
                await scanner.ScanAsync(lengths, ct);
                await ClaimAsync(store, segments, scanner, time, writer, ct);
                ShardLog log = new(store, segments, options, time, index, scanner, writer);
                log._durableBytes = lengths.Take(scanner.Segment - 1).Sum() + scanner.Offset;
                log._segmentAppends = (await store.StatAsync(segments.Name(scanner.Segment), ct))?.Appends ?? 1;
                return log;
            }
            catch (AppendConflictException)
            {
                // Another opener was faster: read what it wrote and try again.
            }
        }

        throw new StorageUnavailableException(
            $"{prefix}: {options.OpenAttempts} times another opener was faster. See that one activation opens it, then retry.");
    }

    /// <summary>Appends items and tombstones; all of them are durable and indexed on return, and none is when it throws a failure that is certain.</summary>
    /// <param name="entries">At least one, at most <see cref="ShardLogOptions.MaxCallBytes"/> together.</param>
    /// <param name="ct">Ends the wait; the items may still become durable.</param>
    /// <returns>A position for each entry, in order.</returns>
    /// <exception cref="LogFullException">Too much waits already; retry later.</exception>
    /// <exception cref="LogFencedException">A later opener has the log; deactivate.</exception>
    /// <exception cref="StorageUnavailableException">The store failed; retry with the same ids (the items may be there when <see cref="StorageUnavailableException.OutcomeUnknown"/>).</exception>
    public async Task<LogPosition[]> AppendAsync(IReadOnlyList<LogEntry> entries, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries.Count == 0)
        {
            return [];
        }

        return await EnqueueAsync(new Call(entries, MeasureAll(entries))).WaitAsync(ct);
    }

    private Task<LogPosition[]> EnqueueAsync(Call call)
    {
        lock (_gate)
        {
            if (_fault is not null)
            {
                throw Again(_fault);
            }

            ObjectDisposedException.ThrowIf(_closed, this);
            if (_waitingItems + call.Entries.Count > _options.QueueItems || _waitingBytes + call.Bytes > _options.QueueBytes)
            {
                throw new LogFullException(_segments.Prefix, _waitingItems, _waitingBytes);
            }

            _waitingItems += call.Entries.Count;
            _waitingBytes += call.Bytes;
            _queue.Enqueue(call);
            if (!_isFlushing)
            {
                _isFlushing = true;

                // Away from the caller's scheduler: an Orleans turn must not carry the encoding of everybody's items.
                _flushing = Task.Run(FlushAsync, CancellationToken.None);
            }
        }

        return call.Done.Task;
    }

    /// <summary>Writes what waits, then refuses more.</summary>
    public async ValueTask DisposeAsync()
    {
        Task flushing;
        lock (_gate)
        {
            _closed = true;
            flushing = _flushing;
        }

        await flushing;
    }

    private static async Task ClaimAsync(
        IObjectStore store, LogSegments segments, LogScanner scanner, TimeProvider time, string writer, CancellationToken ct)
    {
        (int segment, long offset) = (scanner.Segment, scanner.Offset);
        if (scanner.Rolled)
        {
            // Its writer may have died before its sync. Whoever creates the next segment first makes this one durable.
            await store.AppendAsync(segments.Name(segment), offset, ReadOnlyMemory<byte>.Empty, ct);
            (segment, offset) = (segment + 1, 0);
        }

        byte[] claim = LogRecordCodec.Marker(segment, offset, LogRecordKind.Epoch, scanner.Epoch + 1, scanner.NextSequence, time.GetUtcNow(), writer);
        await store.AppendAsync(segments.Name(segment), offset, claim, ct);
        scanner.Appended(segment, claim, offset);
    }

    // A new exception for each caller, so that its stack is the caller's own.
    private static StorageException Again(StorageException fault) => fault switch
    {
        LogFencedException fenced => new LogFencedException(fenced.Shard, fenced.Epoch, fenced),
        _ => new StorageUnavailableException($"The log has failed: {fault.Message} Open it again.", fault),
    };

    private long MeasureAll(IReadOnlyList<LogEntry> entries)
    {
        long bytes = 0;
        foreach (LogEntry entry in entries)
        {
            if (LogRecordCodec.Problem(entry) is { } problem)
            {
                throw new ArgumentException(problem, nameof(entries));
            }

            bytes += LogRecordCodec.Measure(entry);
        }

        if (bytes > _options.MaxCallBytes)
        {
            throw new ArgumentException($"The entries take {bytes} bytes; at most {_options.MaxCallBytes} go into one call.", nameof(entries));
        }

        if (entries.Count > _options.QueueItems)
        {
            throw new ArgumentException($"{entries.Count} entries; at most {_options.QueueItems} go into one call.", nameof(entries));
        }

        return bytes;
    }

    private sealed record Call(IReadOnlyList<LogEntry> Entries, long Bytes)
    {
        /// <summary>Whether it ends the segment before anything of its batch is written.</summary>
        internal bool Rolls { get; init; }

        internal TaskCompletionSource<LogPosition[]> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
