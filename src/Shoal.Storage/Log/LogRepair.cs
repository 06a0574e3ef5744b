namespace Shoal.Storage;

/// <summary>What a repair took out of a log.</summary>
/// <param name="Segment">The segment's number, from 1.</param>
/// <param name="Offset">Where the damage began, in bytes.</param>
/// <param name="Bytes">How many bytes were damaged; 0 where whole records are missing.</param>
/// <param name="FirstSequence">The first item that stood there.</param>
/// <param name="Items">How many items are lost, as far as anybody knows.</param>
/// <param name="SavedAs">The object that holds the damaged bytes; empty where none were left.</param>
public sealed record LogDamage(int Segment, long Offset, long Bytes, long FirstSequence, long Items, string SavedAs);

/// <summary>Makes a damaged log readable again: saves what it takes out, and says which items are lost.</summary>
/// <remarks>
/// Damage becomes a gap of the same length, so that no other record moves; the items that stood there count as deleted from then on, and
/// their sequence numbers are not used again. Where the last segment must be changed, a roll is appended first: whoever has it open is
/// fenced, and whoever opens it goes on in the next one.
/// </remarks>
public static class LogRepair
{
    /// <summary>Repairs a log.</summary>
    /// <param name="store">Where the segments are.</param>
    /// <param name="prefix">The start of their names, as <see cref="ShardLog.OpenAsync"/> has it.</param>
    /// <param name="saveTo">The start of the names under which damaged bytes are saved, without a slash at the end.</param>
    /// <param name="usedSequences">Sequence numbers below this were given to items, as others know who read the log.</param>
    /// <param name="time">Stamps the gaps.</param>
    /// <param name="ct">Stops it between segments.</param>
    /// <returns>What was taken out; empty when the log is whole.</returns>
    /// <exception cref="StorageCorruptException">A newer Shoal wrote a record, or a whole segment is missing: nothing was changed there.</exception>
    /// <exception cref="AppendConflictException">Somebody writes to the log at this moment: it is open, and can be read at its end.</exception>
    /// <exception cref="StorageUnavailableException">The store does not answer; what was repaired so far is repaired. Run it again.</exception>
    public static async Task<IReadOnlyList<LogDamage>> RunAsync(
        IObjectStore store, string prefix, string saveTo, long usedSequences, TimeProvider time, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        ObjectNames.Check(prefix);
        ObjectNames.Check(saveTo);
        LogSegments segments = new(store, prefix);
        int count = (await segments.ListAsync(ct)).Count;
        List<LogDamage> damages = [];
        LogMender mender = new(prefix, time);
        byte[] following = count > 0 ? await segments.ReadWholeAsync(1, ct) : [];
        for (int segment = 1; segment <= count; segment++)
        {
            // Each is read once: what begins the next segment says what the end of this one has lost.
            byte[] bytes = following;
            following = segment < count ? await segments.ReadWholeAsync(segment + 1, ct) : [];
            long? next = segment < count ? LogMender.FirstSequence(segment + 1, following) : null;
            if (segment == count && mender.End(segment, bytes, usedSequences) is ({ } end, var missing))
            {
                await store.AppendAsync(segments.Name(segment), bytes.Length, end, ct);
                bytes = [.. bytes, .. end];
                if (missing.Items > 0)
                {
                    damages.Add(new LogDamage(segment, missing.Offset, missing.Length, missing.Sequence, missing.Items, string.Empty));
                }
            }

            (byte[] mended, List<MendedRange> ranges) = mender.Mend(segment, bytes, next);
            foreach (MendedRange range in ranges)
            {
                string saved = range.Length == 0 ? string.Empty : $"{saveTo}/{segment:D8}-{range.Offset:D12}.bin";
                if (range.Length > 0)
                {
                    await store.PutAsync(saved, bytes.AsMemory((int)range.Offset, (int)range.Length), PutCondition.Always, ct);
                }

                damages.Add(new LogDamage(segment, range.Offset, range.Length, range.Sequence, range.Items, saved));
            }

            if (!ReferenceEquals(mended, bytes))
            {
                await segments.ReplaceAsync(segment, mended, ct);
            }
        }

        return damages;
    }
}

/// <summary>Bytes that are no records, and the items that stood there.</summary>
internal readonly record struct MendedRange(long Offset, long Length, long Sequence, long Items);

/// <summary>Follows the records of a log from segment to segment, and writes gaps where there are none.</summary>
internal sealed class LogMender(string prefix, TimeProvider time)
{
    private long _sequence;
    private long _epoch;

    /// <summary>The sequence number that the first whole record of a segment carries; null when there is none.</summary>
    internal static long? FirstSequence(int segment, ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at + LogRecordCodec.HeaderBytes <= bytes.Length; at++)
        {
            if (LogRecordCodec.TryReadHeader(bytes[at..], out LogRecordHeader header) && LogRecordCodec.IsValid(bytes[at..], header, segment, at))
            {
                return header.Sequence;
            }
        }

        return null;
    }

    /// <summary>What must be appended to the last segment before it can be mended, and whole items that it has lost; null when it needs no mending, or has its roll.</summary>
    internal (byte[] Bytes, MendedRange Missing)? End(int segment, byte[] bytes, long usedSequences)
    {
        LogMender ahead = new(prefix, time) { _sequence = _sequence, _epoch = _epoch };
        (byte[] mended, List<MendedRange> ranges) = ahead.Mend(segment, bytes, nextSequence: null);
        long lost = Math.Max(0, usedSequences - ahead._sequence);
        if ((ranges.Count == 0 && lost == 0) || EndsWithRoll(segment, mended))
        {
            return null;
        }

        // A damaged end becomes a gap that stands for the lost items, once it is long enough; behind a whole one they need a gap of their own.
        long damaged = ranges.Count > 0 && ranges[^1].Offset + ranges[^1].Length == bytes.Length ? ranges[^1].Length : 0;
        byte[] before = damaged > 0 ? new byte[Math.Max(0, LogRecordCodec.HeaderBytes - damaged)] : ahead.Missing(segment, bytes.Length, lost);
        byte[] end = [.. before, .. Roll(segment, bytes.Length + before.Length, ahead._epoch, ahead._sequence + lost)];
        return (end, new MendedRange(bytes.Length, 0, ahead._sequence, damaged > 0 ? 0 : lost));
    }

    /// <summary>A segment without damage.</summary>
    /// <param name="segment">Its number.</param>
    /// <param name="bytes">What it holds.</param>
    /// <param name="nextSequence">The sequence number that the next segment begins with; null for the last.</param>
    /// <returns>The same array when nothing is wrong with it.</returns>
    internal (byte[] Bytes, List<MendedRange> Ranges) Mend(int segment, byte[] bytes, long? nextSequence)
    {
        List<MendedRange> ranges = [];
        byte[] mended = bytes;
        int at = 0;
        bool rolled = false;
        while (at < bytes.Length && !rolled)
        {
            if (Accept(segment, bytes, at, out LogRecordHeader header))
            {
                rolled = header.Kind == LogRecordKind.Roll;
                at += header.Length;
                continue;
            }

            if (ReferenceEquals(mended, bytes))
            {
                mended = [.. bytes];
            }

            int end = Resume(segment, bytes, at);
            bool followed = LogRecordCodec.TryReadHeader(bytes.AsSpan(end), out LogRecordHeader after);
            long items = Math.Max(0, (followed ? after.Sequence : nextSequence ?? _sequence) - _sequence);
            ranges.Add(new MendedRange(at, end - at, _sequence, items));
            if (end - at < LogRecordCodec.HeaderBytes)
            {
                // A few bytes at the end of the segment: no record fits there, and none was there.
                mended = mended[..at];
                _sequence += items;
                break;
            }

            LogRecordCodec.WriteGap(mended.AsSpan(at, end - at), segment, at, _epoch, _sequence, items, time.GetUtcNow(), idHash: 0);
            _sequence += items;
            at = end;
        }

        if (rolled && at < bytes.Length)
        {
            ranges.Add(new MendedRange(at, bytes.Length - at, _sequence, 0));
            return (mended[..at], ranges);
        }

        if (nextSequence is { } next && !rolled)
        {
            long items = Math.Max(0, next - _sequence);
            if (items > 0 || ranges.Count == 0)
            {
                ranges.Add(new MendedRange(mended.Length, 0, _sequence, items));
            }

            mended = [.. mended, .. Missing(segment, mended.Length, items)];
            _sequence += items;
            mended = [.. mended, .. Roll(segment, mended.Length, _epoch, _sequence)];
        }

        return (mended, ranges);
    }

    private static bool EndsWithRoll(int segment, ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; LogRecordCodec.TryReadHeader(bytes[at..], out LogRecordHeader header) && LogRecordCodec.IsValid(bytes[at..], header, segment, at); at += header.Length)
        {
            if (header.Kind == LogRecordKind.Roll)
            {
                return true;
            }
        }

        return false;
    }

    private byte[] Missing(int segment, int offset, long items)
    {
        byte[] gap = new byte[items == 0 ? 0 : LogRecordCodec.HeaderBytes];
        if (items > 0)
        {
            LogRecordCodec.WriteGap(gap, segment, offset, _epoch, _sequence, items, time.GetUtcNow(), idHash: 0);
        }

        return gap;
    }

    private byte[] Roll(int segment, int offset, long epoch, long nextSequence) =>
        LogRecordCodec.Marker(segment, offset, LogRecordKind.Roll, epoch, nextSequence, time.GetUtcNow(), $"{segment + 1:D8}");

    private bool Accept(int segment, ReadOnlySpan<byte> bytes, int at, out LogRecordHeader header)
    {
        ReadOnlySpan<byte> rest = bytes[at..];
        if (!LogRecordCodec.TryReadHeader(rest, out header) || !LogRecordCodec.IsValid(rest, header, segment, at)
            || header.Sequence != _sequence || header.Epoch < _epoch)
        {
            return LogRecordCodec.IsForeign(rest, segment, at)
                ? throw new StorageCorruptException(prefix, segment, at, "the record was written by a newer Shoal", isNewer: true)
                : false;
        }

        _epoch = header.Epoch;
        _sequence += header.Kind switch
        {
            LogRecordKind.Item => 1,
            LogRecordKind.Gap => LogRecordCodec.GapItems(header),
            _ => 0,
        };
        return true;
    }

    // Where the next record that can be one of this log begins; the end when there is none. A gap needs room for its own header.
    private int Resume(int segment, ReadOnlySpan<byte> bytes, int from)
    {
        for (int at = from + LogRecordCodec.HeaderBytes; at + LogRecordCodec.HeaderBytes <= bytes.Length; at++)
        {
            if (LogRecordCodec.TryReadHeader(bytes[at..], out LogRecordHeader header)
                && header.MayFollow(_epoch, _sequence)
                && LogRecordCodec.IsValid(bytes[at..], header, segment, at))
            {
                return at;
            }
        }

        return bytes.Length;
    }
}
