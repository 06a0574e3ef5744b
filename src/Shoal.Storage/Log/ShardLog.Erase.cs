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

    /// <summary>Takes the bytes, ids and metadata of items out of a segment that is not appended to; other records keep their places.</summary>
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
        bool changed = false;
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

            at += header.Length;
        }

        if (changed)
        {
            await _segments.ReplaceAsync(segment, bytes, ct);
        }
    }
}
