using System.Buffers;

namespace Shoal.Storage;

/// <content>The writing half: gathers waiting calls into one append, rolls segments, settles appends whose outcome is unknown.</content>
public sealed partial class ShardLog
{
    private readonly string _writer;

    // Touched by the one flushing task only; what others read goes through Volatile.
    private LogCheckpoint _tail;
    private readonly UInt128 _identity;
    private int _currentSegment;
    private int _segmentAppends;
    private bool _rolled;
    private Unsettled? _unsettled;
    private long _nextSequence;
    private long _durableBytes;
    private long _syncs;

    private async Task FlushAsync()
    {
        List<Call> batch = [];
        while (TakeBatch(batch))
        {
            LogPosition[][]? positions = null;
            StorageException? failure = null;
            try
            {
                positions = await WriteBatchAsync(batch);
            }
            catch (AppendConflictException e)
            {
                failure = Fail(new LogFencedException(_segments.Prefix, Epoch, e));
            }
            catch (StorageUnavailableException e)
            {
                failure = e;
            }
            catch (Exception e)
            {
                // Nothing else is expected here, and memory may now differ from the log: only opening anew is safe.
                failure = Fail(new StorageUnavailableException($"{_segments.Prefix}: {e.Message} Open the log again.", e, outcomeUnknown: true));
            }

            Finish(batch, positions, failure);
        }
    }

    private bool TakeBatch(List<Call> batch)
    {
        batch.Clear();
        lock (_gate)
        {
            if (_fault is not null)
            {
                while (_queue.TryDequeue(out Call? doomed))
                {
                    Release(doomed);
                    doomed.Done.TrySetException(Again(_fault));
                }
            }

            long bytes = 0;
            while (_queue.TryPeek(out Call? next) && (batch.Count == 0 || bytes + next.Bytes <= _options.BatchBytes))
            {
                bytes += next.Bytes;
                batch.Add(_queue.Dequeue());
            }

            _isFlushing = batch.Count > 0;
            return _isFlushing;
        }
    }

    private void Finish(List<Call> batch, LogPosition[][]? positions, StorageException? failure)
    {
        lock (_gate)
        {
            batch.ForEach(Release);
        }

        for (int i = 0; i < batch.Count; i++)
        {
            if (positions is not null)
            {
                batch[i].Done.TrySetResult(positions[i]);
            }
            else
            {
                batch[i].Done.TrySetException(failure!);
            }
        }
    }

    private void Release(Call call)
    {
        _waitingItems -= call.Entries.Count;
        _waitingBytes -= call.Bytes;
    }

    private StorageException Fail(StorageException fault)
    {
        lock (_gate)
        {
            return _fault ??= fault;
        }
    }

    private async Task<LogPosition[][]> WriteBatchAsync(List<Call> batch)
    {
        await SettleAsync();
        _index.Reserve(batch.Sum(call => call.Entries.Count));
        await RollWhenFullAsync(batch.Exists(call => call.Rolls));
        if (batch.TrueForAll(call => call.Entries.Count == 0))
        {
            return [.. batch.Select(_ => Array.Empty<LogPosition>())];
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(checked((int)batch.Sum(call => call.Bytes)));
        try
        {
            LogPosition[][] positions = new LogPosition[batch.Count][];
            int length = Encode(batch, buffer, positions, out DateTimeOffset time);

            // An append whose outcome is unknown is entered later, when the list holds another batch.
            Call[] calls = [.. batch];
            await AppendAsync(buffer.AsMemory(0, length), () => Volatile.Write(ref _nextSequence, Enter(calls, positions, time)));
            return positions;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private int Encode(List<Call> batch, byte[] buffer, LogPosition[][] positions, out DateTimeOffset time)
    {
        time = _time.GetUtcNow();
        int at = 0;
        long sequence = _tail.NextSequence;
        for (int i = 0; i < batch.Count; i++)
        {
            IReadOnlyList<LogEntry> entries = batch[i].Entries;
            positions[i] = new LogPosition[entries.Count];
            for (int j = 0; j < entries.Count; j++)
            {
                long offset = _tail.Offset + at;
                int length = LogRecordCodec.WriteEntry(buffer.AsSpan(at), _tail.Segment, offset, Epoch, sequence, time, entries[j]);
                positions[i][j] = new LogPosition(sequence, _tail.Segment, offset, length);
                at += length;
                sequence += entries[j].IsItem ? 1 : 0;
            }
        }

        return at;
    }

    /// <summary>Enters what has become durable into the index; returns the next sequence number.</summary>
    private long Enter(Call[] batch, LogPosition[][] positions, DateTimeOffset time)
    {
        long next = _tail.NextSequence;
        for (int i = 0; i < batch.Length; i++)
        {
            for (int j = 0; j < positions[i].Length; j++)
            {
                LogEntry entry = batch[i].Entries[j];
                switch (entry.Kind)
                {
                    case LogRecordKind.Tombstone:
                        _index.Delete(entry.IdHash);
                        break;
                    case LogRecordKind.Expiry:
                        _index.Expire((long)(ulong)entry.ContentHash);
                        break;
                    default:
                        _index.Add(new LogIndexEntry(positions[i][j], entry.IdHash, entry.ContentHash, time));
                        next++;
                        break;
                }
            }
        }

        return next;
    }

    private async Task RollWhenFullAsync(bool asked)
    {
        if ((asked && _tail.Offset > 0) || _tail.Offset >= _options.SegmentBytes || _segmentAppends >= _options.SegmentAppends)
        {
            await AppendAsync(Marker(LogRecordKind.Roll, $"{_tail.Segment + 1:D8}"), () => _rolled = true);
        }

        // Also when an earlier attempt failed here: the roll is durable, so the log can only go on in this segment.
        if (_tail.Offset == 0)
        {
            await AppendAsync(Marker(LogRecordKind.Epoch, _writer), () => { });
        }
    }

    /// <summary>Appends at the tail and then notes it; when the outcome is unknown, remembers what to look for.</summary>
    private async Task AppendAsync(ReadOnlyMemory<byte> bytes, Action landed)
    {
        try
        {
            await _store.AppendAsync(_segments.Name(_tail.Segment), _tail.Offset, bytes, CancellationToken.None);
        }
        catch (StorageUnavailableException e) when (e.OutcomeUnknown)
        {
            _unsettled = new Unsettled(bytes.ToArray(), landed, Marker(LogRecordKind.Epoch, _writer));
            throw;
        }

        Land(bytes.Span, landed);
    }

    /// <summary>
    /// Finds out about an append whose outcome is unknown, and shuts it out if it has not landed by now: a delayed one cannot land
    /// behind the barrier record that takes its place.
    /// </summary>
    private async Task SettleAsync()
    {
        while (_unsettled is { } unsettled)
        {
            string segment = _segments.Name(_tail.Segment);
            try
            {
                await _store.AppendAsync(segment, _tail.Offset, unsettled.Barrier, CancellationToken.None);
                _unsettled = null;
                Land(unsettled.Barrier, () => { });
            }
            catch (AppendConflictException)
            {
                byte[] present = new byte[Math.Max(unsettled.Bytes.Length, unsettled.Barrier.Length)];
                int read = await _store.ReadAsync(segment, _tail.Offset, present, CancellationToken.None);
                if (present.AsSpan(0, read).StartsWith(unsettled.Bytes))
                {
                    _unsettled = null;
                    Land(unsettled.Bytes, unsettled.Landed);
                }
                else if (present.AsSpan(0, read).StartsWith(unsettled.Barrier))
                {
                    _unsettled = null;
                    Land(unsettled.Barrier, () => { });
                }
                else
                {
                    throw;
                }
            }
        }
    }

    private void Land(ReadOnlySpan<byte> bytes, Action landed)
    {
        (int lastLength, uint lastChecksum) = LastRecord(bytes);
        try
        {
            landed();
            _tail = _tail with
            {
                Log = _identity + _segments.Changes,
                Offset = _tail.Offset + bytes.Length,
                NextSequence = NextSequence,
                LastLength = lastLength,
                LastChecksum = lastChecksum,
            };
            _index.Commit(_tail);
        }
        catch (StorageException e)
        {
            // Not the store's failure but the index's, after the items have become durable: not to be taken for a failed append.
            throw new InvalidOperationException($"The items are durable, but the index failed: {e.Message}", e);
        }

        _segmentAppends++;
        if (_rolled)
        {
            (_rolled, _segmentAppends) = (false, 0);
            _tail = _tail with { Segment = _tail.Segment + 1, Offset = 0 };
            Volatile.Write(ref _currentSegment, _tail.Segment);
        }

        Interlocked.Add(ref _durableBytes, bytes.Length);
        Volatile.Write(ref _syncs, _syncs + 1);
    }

    private static (int Length, uint Checksum) LastRecord(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            _ = LogRecordCodec.TryReadHeader(bytes, out LogRecordHeader header);
            if (header.Length == bytes.Length)
            {
                return (header.Length, header.Checksum);
            }

            bytes = bytes[header.Length..];
        }
    }

    private byte[] Marker(LogRecordKind kind, string id) =>
        LogRecordCodec.Marker(_tail.Segment, _tail.Offset, kind, Epoch, _tail.NextSequence, _time.GetUtcNow(), id);

    /// <summary>An append that may or may not have happened, and the record that takes its place if not.</summary>
    private sealed record Unsettled(byte[] Bytes, Action Landed, byte[] Barrier);
}
