using System.Buffers.Binary;

namespace Shoal.Storage;

/// <summary>Finds a shard's items: id to sequence number, sequence number to place in the log.</summary>
/// <remarks>
/// A view: opened on a local folder, filled by <see cref="ShardLog"/>, rebuilt from the log when it is missing, short or damaged.
/// Every call is synchronous and takes microseconds (a table look-up and a read of 64 bytes from the page cache), so a grain calls
/// it on its turn; a lock makes it safe beside the log's own tasks. Resident: 16 to 32 bytes an item. At most 2,147,483,646 items.
/// </remarks>
public sealed partial class ItemIndex : ILogReplayTarget, IDisposable
{
    // Record: id hash 16, content hash 16, offset 8, time 8, segment 4, length 4, flags 4, checksum of those and the sequence 4.
    private const int RecordBytes = 64;

    // Header: magic 8, log 16, segment 4, last length 4, offset 8, next sequence 8, epoch 8, last checksum 4, checksum 4.
    private const int HeaderBytes = 64;
    private const ulong Magic = 0x31_58_44_49_4C_41_48_53; // "SHALIDX1" in the file

    // Records that one read brings: 1 MiB while opening.
    private const int LoadRecords = 16_384;

    // 16 KiB of the stack's megabyte.
    private const int StackRecords = 256;

    internal static readonly SidecarLayout Layout = new("items.idx", HeaderBytes, RecordBytes);

    private readonly Lock _gate = new();
    private readonly SidecarFile _file;
    private readonly PageMarks? _marks;
    private readonly IdTable _table = new();
    private long _count;

    // All items below are deleted or replaced; where it stands after opening is found anew.
    private long _expired;
    private LogCheckpoint? _covered;

    /// <summary>Opens the index, empty when its file is absent or not whole. One opener at a time.</summary>
    /// <param name="directory">A local folder of this shard and this process.</param>
    /// <param name="marks">Is told which pages change; null where nobody asks.</param>
    /// <exception cref="StorageUnavailableException">The file cannot be opened, or somebody else has it open.</exception>
    public ItemIndex(string directory, PageMarks? marks = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _marks = marks;
        _file = new SidecarFile(Layout.In(directory));
        if (!TryLoad())
        {
            Reset();
        }
    }

    /// <summary>How many items there are, replaced ones included: the next sequence number.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <inheritdoc/>
    public LogCheckpoint? Covered
    {
        get
        {
            lock (_gate)
            {
                return _covered;
            }
        }
    }

    /// <summary>Finds the newest item of an id.</summary>
    /// <param name="idHash">A 128-bit hash of the id.</param>
    /// <param name="sequence">Its sequence number.</param>
    public bool TryFind(UInt128 idHash, out long sequence)
    {
        lock (_gate)
        {
            sequence = Find(idHash, out int slot);
            return slot >= 0;
        }
    }

    /// <summary>Reads one item's record.</summary>
    /// <param name="sequence">Below <see cref="Count"/>.</param>
    public ItemRecord Get(long sequence)
    {
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(sequence);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, _count);
            return ReadRecord(sequence);
        }
    }

    /// <summary>Reads the records of a run of items.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="records">Filled from its start.</param>
    /// <returns>How many were filled; fewer than asked at the end.</returns>
    public int GetMany(long fromSequence, Span<ItemRecord> records) => ReadMany(fromSequence, records, static (bytes, sequence) => Decode(bytes, sequence));

    /// <inheritdoc/>
    public int Locate(long fromSequence, Span<LogPosition> positions) => ReadMany(fromSequence, positions, static (bytes, sequence) =>
        Decode(bytes, sequence) is var record && record.Marks.HasFlag(ItemMarks.Erased) ? record.Position with { Length = 0 } : record.Position);

    /// <inheritdoc/>
    public void Reserve(int items)
    {
        lock (_gate)
        {
            _file.Reserve(Place(_count + items));
        }
    }

    /// <inheritdoc/>
    public void Add(in LogIndexEntry entry) => Add(entry, ItemMarks.None);

    /// <inheritdoc/>
    public void Skip(in LogIndexEntry first, long count)
    {
        for (long i = 0; i < count; i++)
        {
            Add(first with { Position = first.Position with { Sequence = first.Position.Sequence + i } }, ItemMarks.Deleted | ItemMarks.Erased);
        }
    }

    /// <inheritdoc/>
    public void Delete(UInt128 idHash)
    {
        lock (_gate)
        {
            long sequence = Find(idHash, out int slot);
            if (slot >= 0)
            {
                ItemRecord deleted = ReadRecord(sequence);
                WriteRecord(deleted with { Marks = deleted.Marks | ItemMarks.Deleted });
            }
        }
    }

    /// <inheritdoc/>
    public void Expire(long below)
    {
        lock (_gate)
        {
            for (; _expired < Math.Min(below, _count); _expired++)
            {
                ItemRecord expired = ReadRecord(_expired);
                if (expired.Marks == ItemMarks.None)
                {
                    WriteRecord(expired with { Marks = ItemMarks.Deleted });
                }
            }
        }
    }

    /// <summary>Notes that the bytes of items are gone.</summary>
    /// <param name="sequences">Items that are deleted or replaced.</param>
    public void Erased(IEnumerable<long> sequences)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        lock (_gate)
        {
            foreach (long sequence in sequences)
            {
                ItemRecord erased = ReadRecord(sequence);
                WriteRecord(erased with { Marks = erased.Marks | ItemMarks.Erased });
            }
        }
    }

    private void Add(in LogIndexEntry entry, ItemMarks marks)
    {
        lock (_gate)
        {
            if (entry.Position.Sequence != _count)
            {
                throw new ArgumentException($"The next item is {_count}, not {entry.Position.Sequence}.", nameof(entry));
            }

            int sequence = checked((int)_count);
            WriteRecord(new ItemRecord(entry.Position, entry.IdHash, entry.ContentHash, entry.Time, marks));
            if (entry.IdHash == 0)
            {
                // Nobody knows whose it was.
                _count++;
                return;
            }

            long older = Find(entry.IdHash, out int slot);
            if (slot >= 0)
            {
                ItemRecord replaced = ReadRecord(older);
                WriteRecord(replaced with { Marks = replaced.Marks | ItemMarks.Superseded });
                _table.Replace(slot, sequence);
            }
            else
            {
                _table.Insert((ulong)entry.IdHash, sequence);
            }

            _count++;
        }
    }

    /// <inheritdoc/>
    public void Commit(in LogCheckpoint covered)
    {
        lock (_gate)
        {
            Span<byte> header = stackalloc byte[HeaderBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
            BinaryPrimitives.WriteUInt128LittleEndian(header[8..], covered.Log);
            BinaryPrimitives.WriteInt32LittleEndian(header[24..], covered.Segment);
            BinaryPrimitives.WriteInt32LittleEndian(header[28..], covered.LastLength);
            BinaryPrimitives.WriteInt64LittleEndian(header[32..], covered.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(header[40..], covered.NextSequence);
            BinaryPrimitives.WriteInt64LittleEndian(header[48..], covered.Epoch);
            BinaryPrimitives.WriteUInt32LittleEndian(header[56..], covered.LastChecksum);
            BinaryPrimitives.WriteUInt32LittleEndian(header[60..], Crc32C.Of(header[..60]));
            _file.Write(0, header);
            _covered = covered;
        }
    }

    /// <inheritdoc/>
    public void Reset()
    {
        lock (_gate)
        {
            _file.Clear();
            _table.Clear();
            _count = _expired = 0;
            _covered = null;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static long Place(long sequence) => Layout.Place(sequence);

    private static uint Check(ReadOnlySpan<byte> record, long sequence)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, sequence);
        return ~Crc32C.Add(Crc32C.Add(Crc32C.Start, number), record[..60]);
    }

    private static LogPosition DecodePosition(ReadOnlySpan<byte> bytes, long sequence) => new(
        sequence,
        BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[52..]));

    private static ItemRecord Decode(ReadOnlySpan<byte> bytes, long sequence) => new(
        DecodePosition(bytes, sequence),
        BinaryPrimitives.ReadUInt128LittleEndian(bytes),
        BinaryPrimitives.ReadUInt128LittleEndian(bytes[16..]),
        DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(bytes[40..])),
        (ItemMarks)BinaryPrimitives.ReadInt32LittleEndian(bytes[56..]));

    private static bool IsWhole(ReadOnlySpan<byte> record, long sequence) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[60..]) == Check(record, sequence);

    private long Find(UInt128 idHash, out int slot)
    {
        // 64 bits choose the candidates, the record's 128 decide.
        ulong key = (ulong)idHash;
        Span<byte> record = stackalloc byte[16];
        for (slot = _table.First(key); slot >= 0; slot = _table.Next(key, slot))
        {
            int sequence = _table.Sequence(slot);
            _file.Read(Place(sequence), record);
            if (BinaryPrimitives.ReadUInt128LittleEndian(record) == idHash)
            {
                return sequence;
            }
        }

        return -1;
    }

    private int ReadMany<T>(long fromSequence, Span<T> results, Func<ReadOnlySpan<byte>, long, T> decode)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        Span<byte> bytes = stackalloc byte[StackRecords * RecordBytes];
        lock (_gate)
        {
            int count = (int)Math.Clamp(_count - fromSequence, 0, results.Length);
            for (int done = 0; done < count; done += StackRecords)
            {
                int part = Math.Min(StackRecords, count - done);
                _file.Read(Place(fromSequence + done), bytes[..(part * RecordBytes)]);
                for (int i = 0; i < part; i++)
                {
                    results[done + i] = decode(bytes.Slice(i * RecordBytes, RecordBytes), fromSequence + done + i);
                }
            }

            return count;
        }
    }

    private ItemRecord ReadRecord(long sequence)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        _file.Read(Place(sequence), record);
        return Decode(record, sequence);
    }

    private void WriteRecord(in ItemRecord item)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        BinaryPrimitives.WriteUInt128LittleEndian(record, item.IdHash);
        BinaryPrimitives.WriteUInt128LittleEndian(record[16..], item.ContentHash);
        BinaryPrimitives.WriteInt64LittleEndian(record[32..], item.Position.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[40..], item.Time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32LittleEndian(record[48..], item.Position.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(record[52..], item.Position.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[56..], (int)item.Marks);
        BinaryPrimitives.WriteUInt32LittleEndian(record[60..], Check(record, item.Position.Sequence));
        _file.Write(Place(item.Position.Sequence), record);
        // Behind the write: whoever takes the marks in between reads what was written, and is told again.
        _marks?.Mark(item.Position.Sequence);
    }

    private bool TryLoad()
    {
        if (ReadCovered(_file) is not { } covered || Place(covered.NextSequence) > _file.Length)
        {
            return false;
        }

        long count = covered.NextSequence;
        byte[] chunk = new byte[LoadRecords * RecordBytes];
        for (long first = 0; first < count; first += LoadRecords)
        {
            int items = (int)Math.Min(LoadRecords, count - first);
            _file.Read(Place(first), chunk.AsSpan(0, items * RecordBytes));
            for (int i = 0; i < items; i++)
            {
                ReadOnlySpan<byte> record = chunk.AsSpan(i * RecordBytes, RecordBytes);
                if (!IsWhole(record, first + i))
                {
                    return false;
                }

                if (BinaryPrimitives.ReadUInt128LittleEndian(record) is var idHash && idHash != 0)
                {
                    Load(idHash, (int)(first + i));
                }
            }
        }

        (_count, _covered) = (count, covered);
        return true;
    }

    private static LogCheckpoint? ReadCovered(SidecarFile file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        file.Read(0, header);
        return BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic && BinaryPrimitives.ReadUInt32LittleEndian(header[60..]) == Crc32C.Of(header[..60])
            ? new LogCheckpoint(
                BinaryPrimitives.ReadUInt128LittleEndian(header[8..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[24..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[48..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[28..]),
                BinaryPrimitives.ReadUInt32LittleEndian(header[56..]))
            : null;
    }

    // A later item of the same id takes the slot over; whether it was superseded is in the records.
    private void Load(UInt128 idHash, int sequence)
    {
        _ = Find(idHash, out int slot);
        if (slot >= 0)
        {
            _table.Replace(slot, sequence);
        }
        else
        {
            _table.Insert((ulong)idHash, sequence);
        }
    }
}
