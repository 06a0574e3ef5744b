using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Learning;
using Shoal.Media;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Gives every item of a shard an assignment: arrivals at once, then the stalest within the refresh budget.</summary>
/// <remarks>
/// Runs on the shard's turns, interleaved with its calls; decoding happens on the thread pool and embedding on the
/// compute thread, so that a turn only reads and writes the tables.
/// </remarks>
internal sealed partial class IndexPump
{
    // While refresh has nothing to do, or its requests are refused, look again after this long.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private const int MaxBatchBytes = 8 * 1024 * 1024;

    private readonly string _dataset;
    private readonly ShardStore _items;
    private readonly ItemIndex _index;
    private readonly AssignmentTable _table;
    private readonly ShardLedger _ledger;
    private readonly IEmbeddings _embeddings;
    private readonly ISampleDecoder _decoder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _batch;
    private readonly Assignment[] _block = new Assignment[1_024];
    private TaskCompletionSource _wake = NewSignal();
    private PublishedVersion? _version;
    private long _next;
    private int _sweepVersion;
    private long _sweepNext;

    /// <summary>Makes a pump.</summary>
    /// <param name="parts">What it works on.</param>
    public IndexPump(IndexPumpParts parts)
    {
        (_dataset, _items, _embeddings, _decoder, _batch, _time, _logger) = parts;
        (_index, _table, _ledger, _next) = (_items.Index, _items.Table, _items.Ledger, _items.FirstPending);
    }

    /// <summary>The version that it assigns by.</summary>
    public PublishedVersion? Version => _version;

    /// <summary>Traces that end with an assignment.</summary>
    public AppendTraces Appends { get; } = new();

    /// <summary>Why it cannot go on: an item's bytes are damaged; null while it can.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes a newer version into use.</summary>
    /// <param name="version">The version; an older one is not looked at.</param>
    public void Use(PublishedVersion version)
    {
        if (_version is null || version.Version > _version.Version)
        {
            _version = version;
            _sweepVersion = 0;
            Wake();
        }
    }

    /// <summary>Assigns one item by the published version now, unless it is.</summary>
    /// <param name="sequence">Its sequence number.</param>
    public async Task FreshenAsync(long sequence)
    {
        Assignment old = _ledger.Read(sequence);
        if (_version is not { } version || old.StateOf() == AssignmentState.Quarantined || old.ModelVersion >= version.Version)
        {
            return;
        }

        if (old.EmbeddingVersion >= version.EncoderVersion)
        {
            Reassign(version, await _embeddings.PrototypesAsync(_dataset, version), sequence, 1, _ => true);
            return;
        }

        IReadOnlyList<LogRecord> records = await _items.Log.ReadRangeAsync(sequence, 1, MaxBatchBytes, CancellationToken.None);
        await EmbedAndWriteAsync(version, records, ComputePriority.Urgent, CancellationToken.None);
    }

    /// <summary>Begins again with the first item without a state: the log was opened anew, and may hold items that nobody knew of.</summary>
    public void BeginAgain()
    {
        _next = Math.Min(_next, _items.FirstPending);
        Wake();
    }

    /// <summary>Looks for work now.</summary>
    public void Wake()
    {
        TaskCompletionSource wake = _wake;
        _wake = NewSignal();
        wake.TrySetResult();
    }

    /// <summary>Works until it is told to stop. Arrivals and refresh run side by side: a refresh that waits for its share must not hold an arrival.</summary>
    /// <param name="cancellationToken">Stops it; a batch that is being embedded is given up, for a shard that closes keeps its callers waiting.</param>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(LoopAsync(AssignArrivalsAsync, cancellationToken), LoopAsync(RefreshAsync, cancellationToken));

    private async Task LoopAsync(Func<PublishedVersion, CancellationToken, Task<bool>> work, CancellationToken cancellationToken)
    {
        string? damage = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            Task wake = _wake.Task;
            try
            {
                if (_version is { } version && await work(version, cancellationToken))
                {
                    // The other loop's stays.
                    Problem = ReferenceEquals(Problem, damage) ? null : Problem;
                    damage = null;
                    continue;
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DecodeMemoryException || Failures.MayPass(e))
            {
                LogWaiting(_dataset, e.Message);
                wake = Task.Delay(Pause, _time, cancellationToken);
            }
            catch (StorageCorruptException e)
            {
                Problem = damage = e.Message;
                LogWaiting(_dataset, e.Message);
                wake = Task.Delay(Pause, _time, cancellationToken);
            }

            await wake.WaitAsync(Pause, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<bool> AssignArrivalsAsync(PublishedVersion version, CancellationToken cancellationToken)
    {
        if (_next >= _index.Count)
        {
            return false;
        }

        (IReadOnlyList<LogRecord> records, var next) = await ReadAsync(_next, _ => true);
        await EmbedAndWriteAsync(version, records, ComputePriority.Arrivals, cancellationToken);
        _next = next;
        return true;
    }

    /// <summary>Refreshes one batch of the stalest assignments; false when none is stale.</summary>
    private async Task<bool> RefreshAsync(PublishedVersion version, CancellationToken cancellationToken)
    {
        if (_sweepVersion == 0)
        {
            _sweepVersion = _ledger.OldestVersion;
            _sweepNext = 0;
            if (_sweepVersion == 0 || _sweepVersion >= version.Version)
            {
                _sweepVersion = 0;
                return false;
            }
        }

        var end = _next;
        while (_sweepNext < end)
        {
            Span<Assignment> block = _block.AsSpan(0, (int)Math.Min(_block.Length, end - _sweepNext));
            _table.ReadMany(_sweepNext, block);
            var first = IndexOfStale(block);
            if (first < 0)
            {
                _sweepNext += block.Length;
                continue;
            }

            var from = _sweepNext + first;
            _sweepNext = block[first].EmbeddingVersion >= version.EncoderVersion
                ? ReassignStored(version, await _embeddings.PrototypesAsync(_dataset, version).WaitAsync(cancellationToken), from)
                : await ReembedAsync(version, from, cancellationToken);
            return true;
        }

        _sweepVersion = 0;
        return true;
    }

    private int IndexOfStale(ReadOnlySpan<Assignment> block)
    {
        for (var i = 0; i < block.Length; i++)
        {
            if (IsStale(block[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private bool IsStale(in Assignment assignment) =>
        assignment.StateOf() is AssignmentState.Assigned or AssignmentState.Outlier && assignment.ModelVersion <= _sweepVersion;

    private async Task<long> ReembedAsync(PublishedVersion version, long from, CancellationToken cancellationToken)
    {
        (IReadOnlyList<LogRecord> records, var next) = await ReadAsync(from, sequence => IsStale(_ledger.Read(sequence)));
        await EmbedAndWriteAsync(version, records, ComputePriority.Refresh, cancellationToken);
        return next;
    }

    /// <summary>Only prototypes changed since these items were embedded: nothing is decoded again.</summary>
    private long ReassignStored(PublishedVersion version, Prototypes prototypes, long from)
    {
        var count = (int)Math.Min(_batch, _next - from);
        Reassign(version, prototypes, from, count, old => IsStale(old));
        return from + count;
    }

    private void Reassign(PublishedVersion version, Prototypes prototypes, long from, int count, Func<Assignment, bool> wanted)
    {
        var embeddings = new Half[count * _table.Width];
        _table.ReadEmbeddings(from, count, embeddings);
        for (var i = 0; i < count; i++)
        {
            Assignment old = _ledger.Read(from + i);
            if (wanted(old) && old.EmbeddingVersion >= version.EncoderVersion && !_index.Get(from + i).IsGone())
            {
                Write(version, prototypes, from + i, embeddings.AsSpan(i * _table.Width, _table.Width), old.EmbeddingVersion);
            }
        }
    }

    private async Task<(IReadOnlyList<LogRecord> Records, long Next)> ReadAsync(long from, Func<long, bool> wanted)
    {
        // Nothing past what the index holds: the log may be durable a moment before the index knows of it.
        var count = (int)Math.Min(_batch, _index.Count - from);
        IReadOnlyList<LogRecord> records = await _items.Log.ReadRangeAsync(from, count, MaxBatchBytes, CancellationToken.None);
        var next = records.Count == 0 ? from + count : records[^1].Position.Sequence + 1;
        return ([.. records.Where(r => !_index.Get(r.Position.Sequence).IsGone() && wanted(r.Position.Sequence))], next);
    }

    private async Task EmbedAndWriteAsync(PublishedVersion version, IReadOnlyList<LogRecord> records, ComputePriority priority, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
        {
            return;
        }

        DateTimeOffset begun = _time.GetUtcNow();
        var pixels = new byte[records.Count * _decoder.SampleBytes];
        MediaProblem?[] problems = await Task.Run(() => Decode(records, pixels));
        (Half[] embeddings, Prototypes prototypes) = await _embeddings.EmbedAsync(_dataset, version, pixels, records.Count, priority).WaitAsync(cancellationToken);
        _table.UseWidth(prototypes.Width);
        for (var i = 0; i < records.Count; i++)
        {
            var sequence = records[i].Position.Sequence;
            using Activity? span = Trace(sequence, version, begun);
            // While it was embedded it may have been replaced, or assigned by a newer version.
            if (_index.Get(sequence).IsGone() || _ledger.Read(sequence).ModelVersion > version.Version)
            {
                continue;
            }

            if (problems[i] is { } problem)
            {
                _ledger.Write(sequence, Assignments.Quarantined(QuarantineReasons.NumberOf(problem.Code), version.Version, _time.GetUtcNow()));
                LogQuarantined(_dataset, records[i].Id, problem.Message);
                continue;
            }

            Span<Half> embedding = embeddings.AsSpan(i * prototypes.Width, prototypes.Width);
            _table.WriteEmbeddings(sequence, embedding);
            Write(version, prototypes, sequence, embedding, version.Version);
        }
    }

    /// <summary>The last span of an item's append, from the moment that its batch was begun; null where nobody records the append.</summary>
    private Activity? Trace(long sequence, PublishedVersion version, DateTimeOffset begun)
    {
        if (Appends.Take(sequence) is not { } append)
        {
            return null;
        }

        Activity? span = Traces.Source.StartActivity(Traces.Assign, ActivityKind.Consumer, append, startTime: begun);
        return span?.SetTag(Traces.DatasetTag, _dataset).SetTag(Traces.SequenceTag, sequence).SetTag(Traces.VersionTag, version.Version);
    }

    private void Write(PublishedVersion version, Prototypes prototypes, long sequence, ReadOnlySpan<Half> embedding, int embeddedBy)
    {
        Placement placed = prototypes.Assign(embedding);
        _ledger.Write(sequence, placed.IsOutlier
            ? Assignments.Outlier(placed.Distance, version.Version, embeddedBy, _time.GetUtcNow())
            : Assignments.Assigned(version.Clusters[placed.Slot], placed.Confidence, version.Version, embeddedBy, _time.GetUtcNow()));
    }

    private MediaProblem?[] Decode(IReadOnlyList<LogRecord> records, byte[] pixels)
    {
        var problems = new MediaProblem?[records.Count];
        for (var i = 0; i < records.Count; i++)
        {
            _decoder.TryDecode(records[i].MediaType, records[i].Bytes.Span, pixels.AsSpan(i * _decoder.SampleBytes, _decoder.SampleBytes), out problems[i]);
        }

        return problems;
    }

    [LoggerMessage(EventId = 800, EventName = "AssigningWaits", Level = LogLevel.Warning, Message = "{Dataset}: assigning waits: {Reason}")]
    private partial void LogWaiting(string dataset, string reason);

    [LoggerMessage(EventId = 801, EventName = "ItemQuarantined", Level = LogLevel.Warning, Message = "{Dataset}: item {Id} is quarantined: {Reason}")]
    private partial void LogQuarantined(string dataset, string id, string reason);
}

/// <summary>What an index pump works on.</summary>
internal sealed record IndexPumpParts(
    string Dataset, ShardStore Items, IEmbeddings Embeddings,
    ISampleDecoder Decoder, int Batch, TimeProvider Time, ILogger Logger);
