namespace Shoal.Storage;

/// <content>The erasing half: takes the bytes of deleted items out of segments that nobody appends to.</content>
public sealed partial class ShardLog
{
    /// <summary>Ends the current segment, so that its items can be erased. Durable on return.</summary>
    /// <exception cref="LogFencedException">A later opener has the log; deactivate.</exception>
    /// <exception cref="StorageUnavailableException">The store failed; retry.</exception>
    public Task RollAsync() => EnqueueAsync(new Call([], Bytes: 0) { Rolls = true });

    /// <summary>Whether a segment is appended to.</summary>
    /// <param name="segment">The segment's number, from 1.</param>
    public bool IsCurrent(int segment) => segment >= Volatile.Read(ref _currentSegment);

    /// <summary>Takes the bytes, ids and metadata of items out of a segment that is not appended to. Items that stay keep their places; where none stays, the segment becomes short.</summary>
    /// <param name="segment">The segment's number, from 1.</param>
    /// <param name="sequences">Items of it that were deleted or replaced.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <exception cref="ObjectConflictException">Another opener erases at the same time; try again later.</exception>
    /// <exception cref="StorageCorruptException">The segment is damaged; nothing was changed.</exception>
    /// <exception cref="StorageUnavailableException">The store failed; retry.</exception>
    public async Task EraseAsync(int segment, IReadOnlySet<long> sequences, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        if (IsCurrent(segment))
        {
            throw new ArgumentException($"Segment {segment} is appended to; roll first.", nameof(segment));
        }

        byte[] bytes = await _segments.ReadWholeAsync(segment, ct);
        int before = bytes.Length;
        bool changed = false;
        bool anyLeft = false;
        for (int at = 0; at < bytes.Length;)
        {
            if (!LogRecordCodec.TryReadHeader(bytes.AsSpan(at), out LogRecordHeader header) || !LogRecordCodec.IsValid(bytes.AsSpan(at), header, segment, at))
            {
                throw new StorageCorruptException(_segments.Prefix, segment, at, "the bytes are not the record that was written");
            }

            if (header.Kind == LogRecordKind.Item && sequences.Contains(header.Sequence))
            {
                DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(header.UnixMilliseconds);
                LogRecordCodec.WriteGap(bytes.AsSpan(at, header.Length), segment, at, header.Epoch, header.Sequence, items: 1, time, header.IdHash);
                changed = true;
            }
            else
            {
                anyLeft |= header.Kind == LogRecordKind.Item;
            }

            at += header.Length;
        }

        if (changed)
        {
            bytes = anyLeft ? bytes : Shortened(segment, bytes);
            await _segments.ReplaceAsync(segment, bytes, ct);
            Interlocked.Add(ref _durableBytes, bytes.Length - before);
        }
    }

    /// <summary>A segment without items: one gap stands for all, and what else there is keeps its order.</summary>
    private static byte[] Shortened(int segment, byte[] bytes)
    {
        using MemoryStream shorter = new();
        (long first, long items, LogRecordHeader last) = (-1, 0, default);
        for (int at = 0; at < bytes.Length; at += last.Length)
        {
            _ = LogRecordCodec.TryReadHeader(bytes.AsSpan(at), out last);
            if (last.Kind == LogRecordKind.Gap)
            {
                first = first < 0 ? last.Sequence : first;
                items += LogRecordCodec.GapItems(last);
                continue;
            }

            Flush(last);

            // Copied with the checksum of its new place.
            byte[] record = bytes.AsSpan(at, last.Length).ToArray();
            LogRecordCodec.Move(record, segment, shorter.Length);
            shorter.Write(record);
        }

        Flush(last);
        return shorter.ToArray();

        void Flush(in LogRecordHeader next)
        {
            if (items > 0)
            {
                byte[] gap = new byte[LogRecordCodec.HeaderBytes];
                LogRecordCodec.WriteGap(gap, segment, shorter.Length, next.Epoch, first, items, DateTimeOffset.FromUnixTimeMilliseconds(next.UnixMilliseconds), idHash: 0);
                shorter.Write(gap);
                (first, items) = (-1, 0);
            }
        }
    }
}
