using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>A shard's log with its index and assignments, and the rule by which an item is stored once.</summary>
/// <remarks>Used on the shard's turns; state changes only between awaits, and only after the log's append is durable.</remarks>
internal sealed partial class ShardStore : IAsyncDisposable
{
    // Items whose append is under way, by id: a second one of the same id waits for the first and is then judged against it.
    private readonly Dictionary<UInt128, Task> _underWay = [];

    // 100,000 items are a scan of 6 MB; what is left goes the next time.
    private const int MostExpired = 100_000;

    // Ids stand in the log: on blobs each is a request of some milliseconds.
    private const int ReadsAtOnce = 64;

    // 8 MB; a reader that is farther behind is told how all items stand.
    private const int ChangesKept = 131_072;

    // Deleted and replaced items whose bytes are still in the log.
    private readonly HashSet<long> _toErase = [];

    private readonly Func<Task<ShardLog>> _open;

    // All items below are gone.
    private long _firstLive;

    private readonly SidecarCopies? _copies;

    private ShardStore(Func<Task<ShardLog>> open, ShardLog log, ItemIndex index, AssignmentTable table, ChangeRing changes, SidecarCopies? copies, TimeProvider time)
    {
        (_open, _copies) = (open, copies);
        Log = log;
        Index = index;
        Table = table;
        Changes = changes;
        Ledger = new ShardLedger(table, changes, time);
    }

    /// <summary>The log; another one once it was opened anew.</summary>
    public ShardLog Log { get; private set; }

    public ItemIndex Index { get; }

    public AssignmentTable Table { get; }

    public ShardLedger Ledger { get; }

    public ChangeRing Changes { get; }

    /// <summary>Who took whose id since the shard was opened.</summary>
    public Replacements Replacements { get; } = new();

    /// <summary>The first sequence number without a state when the shard was opened.</summary>
    public long FirstPending { get; private set; }

    /// <summary>Items that are neither replaced nor deleted.</summary>
    public long Live { get; private set; }

    /// <summary>Items that wait for their first assignment.</summary>
    public long Pending => Live - Ledger.Assigned - Ledger.Outliers - Ledger.Quarantined;

    /// <summary>Bytes of their records in the log.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>The sequence number of an item that is there.</summary>
    public bool TryFind(string id, out long sequence) => Index.TryFind(Hash(ItemKey.Of(id)), out sequence) && !Index.Get(sequence).IsGone();

    /// <summary>Whether the newest item of an id was deleted.</summary>
    public bool IsDeleted(string id) => Index.TryFind(Hash(ItemKey.Of(id)), out var sequence) && Index.Get(sequence).IsGone();

    /// <summary>Which of some items are gone.</summary>
    public long[] Gone(long[] sequences) => Array.FindAll(sequences, sequence => sequence >= 0 && sequence < Index.Count && Index.Get(sequence).IsGone());

    /// <summary>Deletes items; returns when the tombstones are durable.</summary>
    /// <param name="ids">The ids.</param>
    /// <returns>For each id: false when no item ever had it.</returns>
    public async Task<bool[]> DeleteAsync(string[] ids)
    {
        UInt128[] keys = Array.ConvertAll(ids, id => Names.ItemIdProblem(id) is null ? Hash(ItemKey.Of(id)) : default);

        // What is being stored may be what is to be deleted. Whatever comes of it, the index knows then.
        while (keys.Where(_underWay.ContainsKey).Select(key => _underWay[key]).ToArray() is { Length: > 0 } earlier)
        {
            await Task.WhenAll(earlier).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            await Task.Yield();
        }

        var known = new bool[ids.Length];
        var doomed = new Dictionary<UInt128, long>();
        for (var i = 0; i < ids.Length; i++)
        {
            known[i] = Index.TryFind(keys[i], out var sequence);
            if (known[i] && !Index.Get(sequence).IsGone())
            {
                doomed[keys[i]] = sequence;
            }
        }

        if (doomed.Count == 0)
        {
            return known;
        }

        Task<LogPosition[]> append = Log.AppendAsync([.. doomed.Keys.Select(LogEntry.Deletion)], CancellationToken.None);
        foreach (UInt128 key in doomed.Keys)
        {
            _underWay.Add(key, append);
        }

        try
        {
            await append;
            foreach (var sequence in doomed.Values)
            {
                Drop(sequence, replacedBy: null);
            }

            return known;
        }
        finally
        {
            foreach (UInt128 key in doomed.Keys)
            {
                _underWay.Remove(key);
            }
        }
    }

    /// <summary>The ids of items; null for those whose bytes are gone.</summary>
    /// <param name="sequences">The items.</param>
    public async Task<string?[]> IdsOfAsync(IEnumerable<long> sequences)
    {
        var ids = new List<string?>();
        foreach (var part in sequences.Chunk(ReadsAtOnce))
        {
            ids.AddRange(await Task.WhenAll(part.Select(IdOfAsync)));
        }

        return [.. ids];
    }

    private async Task<string?> IdOfAsync(long sequence)
    {
        ItemRecord record = Index.Get(sequence);
        return record.Marks.HasFlag(ItemMarks.Erased) ? null : await Log.ReadIdAsync(record.Position, CancellationToken.None);
    }

    /// <summary>Reads an item back.</summary>
    public Task<LogRecord> ReadAsync(long sequence) => Log.ReadAsync(Index.Get(sequence).Position, CancellationToken.None);

    /// <summary>Stores items; returns when every accepted one is durable.</summary>
    /// <param name="uploads">The items.</param>
    /// <param name="refusal">Why an item is refused; null when it is taken.</param>
    public async Task<ItemResult[]> AppendAsync(ItemUpload[] uploads, Func<ItemUpload, string?> refusal)
    {
        var results = new ItemResult[uploads.Length];
        var entries = new List<LogEntry>(uploads.Length);
        var slots = new List<int>(uploads.Length);
        List<int>? later = null;
        for (var i = 0; i < uploads.Length; i++)
        {
            ItemUpload upload = uploads[i];
            if ((Names.ItemIdProblem(upload.Id) ?? refusal(upload)) is { } reason)
            {
                results[i] = new ItemResult(IngestOutcome.Rejected, -1, reason);
                continue;
            }

            UInt128 key = Hash(ItemKey.Of(upload.Id));
            if (_underWay.ContainsKey(key))
            {
                (later ??= []).Add(i);
                continue;
            }

            UInt128 content = Hash(ItemKey.OfBytes(upload.Bytes));
            if (Judge(upload, key, content) is { } known)
            {
                results[i] = known;
                continue;
            }

            // Marked now, within this turn, so that the same id later in this very batch waits for this one.
            _underWay.Add(key, Task.CompletedTask);
            entries.Add(new LogEntry(upload.Id, upload.MediaType, upload.Bytes, upload.Metadata, content, key));
            slots.Add(i);
        }

        Task append = StoreAsync(entries, slots, results);
        Task[] earlier = later is null ? [] : [.. later.Select(i => _underWay.GetValueOrDefault(Hash(ItemKey.Of(uploads[i].Id)), Task.CompletedTask))];
        await append;
        if (later is not null)
        {
            await Task.WhenAll(earlier).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            ItemResult[] second = await AppendAsync([.. later.Select(i => uploads[i])], refusal);
            for (var j = 0; j < later.Count; j++)
            {
                results[later[j]] = second[j];
            }
        }

        return results;
    }

    /// <summary>Deletes the oldest items, those that are too old and those that are too many bytes; returns when that is durable.</summary>
    /// <param name="before">Items that came earlier are too old; null when none is.</param>
    /// <param name="mostBytes">The most bytes of records that stay; null when there is no limit.</param>
    /// <returns>How many items were deleted.</returns>
    public async Task<int> ExpireAsync(DateTimeOffset? before, long? mostBytes)
    {
        var doomed = new List<long>();
        var (below, bytes) = (_firstLive, LiveBytes);
        for (; below < Index.Count && doomed.Count < MostExpired; below++)
        {
            ItemRecord record = Index.Get(below);
            if (record.IsGone())
            {
                continue;
            }

            if (!(record.Time < before) && !(bytes > mostBytes))
            {
                break;
            }

            bytes -= record.Position.Length;
            doomed.Add(below);
        }

        if (doomed.Count > 0)
        {
            await Log.AppendAsync([LogEntry.Expiry(below)], CancellationToken.None);
            doomed.ForEach(sequence => Drop(sequence, replacedBy: null));
        }

        _firstLive = below;
        return doomed.Count;
    }

    // Stops counting an item that has just been deleted or replaced; a second reason for it to go changes nothing.
    private void Drop(long sequence, long? replacedBy)
    {
        if (_toErase.Add(sequence))
        {
            Ledger.Drop(sequence, replacedBy);
            if (replacedBy is { } by)
            {
                Replacements.Add(sequence, by);
            }

            Live--;
            LiveBytes -= Index.Get(sequence).Position.Length;
        }
    }

    /// <summary>Takes the bytes of deleted and replaced items out of the log; the segment that is appended to ends for it.</summary>
    /// <returns>How many items were erased.</returns>
    public async Task<int> EraseAsync()
    {
        var count = 0;
        foreach (IGrouping<int, long> segment in _toErase.GroupBy(sequence => Index.Get(sequence).Position.Segment).ToArray())
        {
            if (Log.IsCurrent(segment.Key))
            {
                await Log.RollAsync();
            }

            HashSet<long> sequences = [.. segment];
            await Log.EraseAsync(segment.Key, sequences);
            Index.Erased(sequences);
            _toErase.ExceptWith(sequences);
            count += sequences.Count;
        }

        return count;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Log.DisposeAsync();
        Index.Dispose();
        Table.Dispose();
        Changes.Dispose();
    }

    private static UInt128 Hash(ItemKey key) => new(key.High, key.Low);

    /// <summary>The answer for an item whose id is known; null when it must be stored.</summary>
    private ItemResult? Judge(ItemUpload upload, UInt128 key, UInt128 content)
    {
        if (!Index.TryFind(key, out var sequence) || Index.Get(sequence).IsGone())
        {
            return null;
        }

        if (Index.Get(sequence).ContentHash == content)
        {
            return new ItemResult(IngestOutcome.AlreadyKnown, sequence);
        }

        return upload.Replace
            ? null
            : new ItemResult(IngestOutcome.Conflict, sequence, $"The id '{upload.Id}' holds other bytes; choose another id or ask for 'replace'.");
    }

    private async Task StoreAsync(List<LogEntry> entries, List<int> slots, ItemResult[] results)
    {
        if (entries.Count == 0)
        {
            return;
        }

        // Known now: no other append of these ids can be under way until this one ends.
        long?[] replaced = [.. entries.Select(e => Index.TryFind(e.IdHash, out var old) && !Index.Get(old).IsGone() ? old : (long?)null)];
        // Never cancelled: an append that nobody waits for would be stored, but not counted, and its ids would look free.
        Task<LogPosition[]> append = Log.AppendAsync(entries, CancellationToken.None);
        foreach (LogEntry entry in entries)
        {
            _underWay[entry.IdHash] = append;
        }

        try
        {
            // The log has entered the items into the index when this returns; what is left is to count them.
            LogPosition[] positions = await append;
            for (var j = 0; j < positions.Length; j++)
            {
                if (replaced[j] is { } old)
                {
                    Drop(old, positions[j].Sequence);
                }

                Live++;
                LiveBytes += positions[j].Length;

                results[slots[j]] = new ItemResult(replaced[j] is null ? IngestOutcome.Accepted : IngestOutcome.Replaced, positions[j].Sequence);
            }
        }
        finally
        {
            foreach (LogEntry entry in entries)
            {
                _underWay.Remove(entry.IdHash);
            }
        }
    }
}
