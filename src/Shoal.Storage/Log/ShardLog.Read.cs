namespace Shoal.Storage;

/// <content>The reading half: one item by its position, or a run of items with large reads.</content>
public sealed partial class ShardLog
{
    // One call returns no more: 2,048 positions are 48 KiB, still below the large object heap.
    private const int LocateItems = 2048;

    // A header with the id of nearly every item.
    private const int HeadBytes = 256;

    /// <summary>Reads one item and verifies its checksum.</summary>
    /// <param name="position">From an append or from the index.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <exception cref="StorageCorruptException">The bytes there are not that item.</exception>
    public async Task<LogRecord> ReadAsync(LogPosition position, CancellationToken ct = default) =>
        await ReadUnlessErasedAsync(position, ct)
            ?? throw new StorageCorruptException(_segments.Prefix, position.Segment, position.Offset, $"item {position.Sequence} is gone, though the index has it");

    /// <summary>Reads the id of an item without its bytes.</summary>
    /// <param name="position">From an append or from the index.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>The id; null when the item's bytes are gone.</returns>
    /// <exception cref="StorageCorruptException">The bytes there are not that item.</exception>
    public async Task<string?> ReadIdAsync(LogPosition position, CancellationToken ct = default)
    {
        byte[] bytes = new byte[Math.Min(position.Length, HeadBytes)];
        int read = await _segments.ReadAsync(position.Segment, position.Offset, bytes, ct);
        bool good = LogRecordCodec.TryReadHeader(bytes.AsSpan(0, read), out LogRecordHeader header)
            && header.Kind == LogRecordKind.Item && header.Sequence == position.Sequence && header.Length == position.Length;
        return good && LogRecordCodec.HeaderBytes + header.IdBytes <= read
            ? LogRecordCodec.ReadId(bytes, header)
            : (await ReadUnlessErasedAsync(position, ct))?.Id;
    }

    /// <summary>Reads items in order, several records to a read. Returns nothing past what is durable.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="maxItems">At most so many items; never more than 2,048.</param>
    /// <param name="maxBytes">Stops before this many bytes of records, but returns at least one item.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>Items from <paramref name="fromSequence"/> on; those whose bytes are gone are left out. Empty at the end of the log.</returns>
    /// <exception cref="StorageCorruptException">The bytes of an item are damaged.</exception>
    public async Task<IReadOnlyList<LogRecord>> ReadRangeAsync(long fromSequence, int maxItems, int maxBytes, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxItems);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        LogPosition[] positions = new LogPosition[(int)Math.Min(Math.Min(maxItems, LocateItems), Math.Max(0, NextSequence - fromSequence))];
        int count = _index.Locate(fromSequence, positions);
        List<LogRecord> records = new(count);
        long budget = maxBytes;
        for (int i = 0; i < count;)
        {
            if (positions[i].Length == 0)
            {
                i++;
                continue;
            }

            int run = RunLength(positions.AsSpan(i, count - i), budget);
            if (run == 0 && records.Count > 0)
            {
                break;
            }

            run = Math.Max(run, 1);
            await ReadRunAsync(positions.AsMemory(i, run), records, ct);
            budget -= End(positions[i + run - 1]) - positions[i].Offset;
            i += run;
        }

        return records;
    }

    private async Task<LogRecord?> ReadUnlessErasedAsync(LogPosition position, CancellationToken ct)
    {
        if (position.Length is < LogRecordCodec.HeaderBytes or > LogSegments.MaxRecordBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(position), position.Length, "No record has this length.");
        }

        byte[] bytes = new byte[position.Length];
        int read = await _segments.ReadAsync(position.Segment, position.Offset, bytes, ct);
        return Decode(bytes.AsMemory(0, read), position);
    }

    private static long End(LogPosition position) => position.Offset + position.Length;

    // How many positions stand in one segment, within the budget and within one read.
    private int RunLength(ReadOnlySpan<LogPosition> positions, long budget)
    {
        int run = 0;
        long room = Math.Min(budget, Math.Max(_options.ReadBytes, positions[0].Length));
        while (run < positions.Length && positions[run].Length > 0 && positions[run].Segment == positions[0].Segment && End(positions[run]) - positions[0].Offset <= room)
        {
            run++;
        }

        return run;
    }

    private async Task ReadRunAsync(ReadOnlyMemory<LogPosition> run, List<LogRecord> records, CancellationToken ct)
    {
        LogPosition first = run.Span[0];
        byte[] bytes = new byte[End(run.Span[^1]) - first.Offset];
        int read = await _segments.ReadAsync(first.Segment, first.Offset, bytes, ct);
        foreach (LogPosition position in run.Span)
        {
            int start = (int)(position.Offset - first.Offset);
            if (Decode(bytes.AsMemory(Math.Min(start, read), Math.Clamp(read - start, 0, position.Length)), position) is { } record)
            {
                records.Add(record);
            }
        }
    }

    private bool IsErased(long sequence)
    {
        Span<LogPosition> now = stackalloc LogPosition[1];
        return _index.Locate(sequence, now) == 1 && now[0].Length == 0;
    }

    // Null where a compaction has taken the item's bytes.
    private LogRecord? Decode(ReadOnlyMemory<byte> bytes, LogPosition position)
    {
        bool good = LogRecordCodec.TryReadHeader(bytes.Span, out LogRecordHeader header)
            && LogRecordCodec.IsValid(bytes.Span, header, position.Segment, position.Offset)
            && header is { Kind: LogRecordKind.Item or LogRecordKind.Gap } && header.Sequence == position.Sequence;
        if (!good && IsErased(position.Sequence))
        {
            // Since its place was looked up.
            return null;
        }

        return good
            ? header.Kind == LogRecordKind.Gap ? null : LogRecordCodec.ReadItem(bytes, header, position)
            : throw new StorageCorruptException(
                _segments.Prefix, position.Segment, position.Offset, $"the bytes are not item {position.Sequence} as it was written");
    }
}
