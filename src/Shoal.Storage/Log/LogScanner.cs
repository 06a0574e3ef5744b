namespace Shoal.Storage;

/// <summary>Reads a log from where the index ends to the log's end, and tells a torn tail from corruption.</summary>
internal sealed class LogScanner(IObjectStore store, LogSegments segments, int readBytes, ILogReplayTarget index)
{
    private UInt128 _log;
    private int _lastLength;
    private uint _lastChecksum;

    internal int Segment { get; private set; } = 1;

    internal long Offset { get; private set; }

    internal long NextSequence { get; private set; }

    internal long Epoch { get; private set; }

    /// <summary>Whether the last record is a roll: the log goes on in the next segment.</summary>
    internal bool Rolled { get; private set; }

    /// <summary>Starts where the index ends, if the index is of this log; else empties it and starts at the beginning.</summary>
    internal async Task StartAsync(CancellationToken ct)
    {
        UInt128? log = await segments.IdentityAsync(ct);
        _log = log ?? 0;
        if (index.Covered is not { } covered)
        {
            return;
        }

        if (log is null || covered.Log != log)
        {
            index.Reset();
            return;
        }

        long last = covered.Offset - covered.LastLength;
        if (await segments.TryReadAsync(covered.Segment, last, covered.LastLength, ct) is not var (header, _) || header.Checksum != covered.LastChecksum)
        {
            throw new StorageCorruptException(
                segments.Prefix, covered.Segment, last, "the index has seen a record here that is not there any more; acknowledged items are lost");
        }

        (Segment, Offset, NextSequence, Epoch) = (covered.Segment, covered.Offset, covered.NextSequence, covered.Epoch);
        (_lastLength, _lastChecksum, Rolled) = (covered.LastLength, covered.LastChecksum, header.Kind == LogRecordKind.Roll);
    }

    /// <summary>Scans to the end; a torn tail of the last segment is cut off.</summary>
    /// <exception cref="AppendConflictException">Somebody appended meanwhile: scan again.</exception>
    internal async Task ScanAsync(IReadOnlyList<long> lengths, CancellationToken ct)
    {
        while (Segment <= lengths.Count)
        {
            bool last = Segment == lengths.Count;
            long length = last ? (await store.StatAsync(segments.Name(Segment), ct))?.Length ?? 0 : await segments.EndAsync(Segment, lengths[Segment - 1], ct);
            await ScanSegmentAsync(length, ct);
            if (Offset < length)
            {
                await CutTornTailAsync(length, last, ct);
            }

            Commit();
            if (last)
            {
                return;
            }

            if (!Rolled)
            {
                throw Corrupt(Offset, "the segment ends without naming the next one");
            }

            (Segment, Offset, Rolled) = (Segment + 1, 0, false);
        }
    }

    /// <summary>Notes a marker that the opener has appended itself.</summary>
    internal void Appended(int segment, ReadOnlySpan<byte> marker, long offset)
    {
        _ = LogRecordCodec.TryReadHeader(marker, out LogRecordHeader header);
        Segment = segment;
        Rolled = false;
        Accept(header, marker, offset);
        Commit();
    }

    internal LogCheckpoint Checkpoint => new(_log, Segment, Offset, NextSequence, Epoch, _lastLength, _lastChecksum);

    private void Commit()
    {
        if (_lastLength > 0)
        {
            index.Commit(Checkpoint);
        }
    }

    private async Task ScanSegmentAsync(long length, CancellationToken ct)
    {
        byte[] buffer = new byte[readBytes];
        int have = 0;
        long start = Offset;
        while (true)
        {
            int used = AcceptRecords(buffer.AsSpan(0, have), length, out int wanted);
            buffer.AsSpan(used, have - used).CopyTo(buffer);
            start += used;
            have -= used;
            if (wanted <= have || start + have >= length)
            {
                // An invalid record, or the end.
                return;
            }

            if (wanted > buffer.Length)
            {
                Array.Resize(ref buffer, wanted);
            }

            int read = await segments.ReadAsync(
                Segment, start + have, buffer.AsMemory(have, (int)Math.Min(buffer.Length - have, length - start - have)), ct);
            if (read == 0)
            {
                return;
            }

            have += read;
        }
    }

    /// <summary>Accepts whole records; says how many bytes they took, and how many the next one wants in the buffer (0 when it is invalid).</summary>
    private int AcceptRecords(ReadOnlySpan<byte> bytes, long segmentLength, out int wanted)
    {
        int used = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = bytes[used..];
            wanted = LogRecordCodec.HeaderBytes;
            if (rest.Length < wanted)
            {
                return used;
            }

            if (!LogRecordCodec.TryReadHeader(rest, out LogRecordHeader header)
                || header.Length > LogSegments.MaxRecordBytes || header.Length > segmentLength - Offset)
            {
                wanted = 0;
                return used;
            }

            wanted = header.Length;
            if (rest.Length < wanted)
            {
                return used;
            }

            if (!LogRecordCodec.IsValid(rest, header, Segment, Offset))
            {
                wanted = 0;
                return used;
            }

            Accept(header, rest[..header.Length], Offset);
            used += header.Length;
        }
    }

    private void Accept(in LogRecordHeader header, ReadOnlySpan<byte> record, long offset)
    {
        if (Rolled || header.Epoch < Epoch || header.Sequence != NextSequence)
        {
            throw Corrupt(offset, Rolled
                ? "a record stands behind the one that ends the segment"
                : $"the record has epoch {header.Epoch} and sequence {header.Sequence} where epoch {Epoch} or later and sequence {NextSequence} are due");
        }

        Epoch = header.Epoch;
        if (header.Kind == LogRecordKind.Epoch && Segment == 1 && offset == 0)
        {
            _log = (LogWriterName.Parse(LogRecordCodec.ReadId(record, header)) ?? 0) + segments.Changes;
        }

        if (header.Kind == LogRecordKind.Item)
        {
            LogPosition position = new(header.Sequence, Segment, offset, header.Length);
            index.Reserve(1);
            index.Add(new LogIndexEntry(position, header.IdHash, header.ContentHash, DateTimeOffset.FromUnixTimeMilliseconds(header.UnixMilliseconds)));
            NextSequence++;
        }

        if (header.Kind == LogRecordKind.Tombstone)
        {
            index.Delete(header.IdHash);
        }

        if (header.Kind == LogRecordKind.Expiry)
        {
            index.Expire(LogRecordCodec.ExpiredBelow(header));
        }

        if (header.Kind == LogRecordKind.Gap)
        {
            long items = LogRecordCodec.GapItems(header);
            index.Reserve(checked((int)items));
            index.Skip(new LogIndexEntry(
                new LogPosition(NextSequence, Segment, offset, 0), header.IdHash, ContentHash: 0, DateTimeOffset.FromUnixTimeMilliseconds(header.UnixMilliseconds)), items);
            NextSequence += items;
        }

        Rolled = header.Kind == LogRecordKind.Roll;
        Offset = offset + header.Length;
        (_lastLength, _lastChecksum) = (header.Length, header.Checksum);
    }

    private async Task CutTornTailAsync(long length, bool last, CancellationToken ct)
    {
        if (await IsForeignAsync(length, ct))
        {
            throw new StorageCorruptException(segments.Prefix, Segment, Offset, "the record was written by a newer Shoal", isNewer: true);
        }

        if (!last || Rolled || await AnyValidRecordAsync(Offset + 1, length, ct))
        {
            throw Corrupt(Offset, "the bytes are not the record that was written (its checksum is wrong), and more records follow");
        }

        try
        {
            await store.CutAsync(segments.Name(Segment), length, Offset, ct);
        }
        catch (NotSupportedException)
        {
            throw Corrupt(Offset, "the bytes are not a record, though this store appends whole records or nothing");
        }
    }

    private async Task<bool> IsForeignAsync(long length, CancellationToken ct)
    {
        byte[] header = new byte[LogRecordCodec.HeaderBytes];
        int read = await segments.ReadAsync(Segment, Offset, header, ct);
        long wanted = read < header.Length ? 0 : System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(header);
        if (wanted < LogRecordCodec.HeaderBytes || wanted > Math.Min(length - Offset, LogSegments.MaxRecordBytes))
        {
            return false;
        }

        byte[] record = new byte[wanted];
        read = await segments.ReadAsync(Segment, Offset, record, ct);
        return LogRecordCodec.IsForeign(record.AsSpan(0, read), Segment, Offset);
    }

    private async Task<bool> AnyValidRecordAsync(long from, long length, CancellationToken ct)
    {
        byte[] window = new byte[readBytes];
        for (long start = from; start + LogRecordCodec.HeaderBytes <= length;)
        {
            int read = await segments.ReadAsync(Segment, start, window, ct);
            if (read < LogRecordCodec.HeaderBytes)
            {
                return false;
            }

            int places = read - LogRecordCodec.HeaderBytes + 1;
            for (int i = 0; i < places; i++)
            {
                if (IsPlausible(window.AsSpan(i, LogRecordCodec.HeaderBytes), length - start - i, out int recordLength)
                    && await segments.TryReadAsync(Segment, start + i, recordLength, ct) is not null)
                {
                    return true;
                }
            }

            start += places;
        }

        return false;
    }

    private bool IsPlausible(ReadOnlySpan<byte> bytes, long room, out int length)
    {
        bool plausible = LogRecordCodec.TryReadHeader(bytes, out LogRecordHeader header)
            && header.Length <= Math.Min(room, LogSegments.MaxRecordBytes) && header.MayFollow(Epoch, NextSequence);
        length = header.Length;
        return plausible;
    }

    private StorageCorruptException Corrupt(long offset, string what) => new(segments.Prefix, Segment, offset, what);
}
