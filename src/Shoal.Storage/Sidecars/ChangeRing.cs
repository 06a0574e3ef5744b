using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Shoal.Storage;

/// <summary>A change of what is known of an item.</summary>
/// <param name="Number">Counts the changes of a ring, from 1.</param>
/// <param name="Sequence">The item.</param>
/// <param name="StateBefore">The caller's code of the state that it was in.</param>
/// <param name="ClusterBefore">The cluster that it was in.</param>
/// <param name="Now">What holds since; the embedding's version is not kept.</param>
public readonly record struct AssignmentChange(long Number, long Sequence, byte StateBefore, long ClusterBefore, Assignment Now);

/// <summary>Keeps the newest changes of a shard's assignments, numbered, in a ring of fixed size on local disk.</summary>
/// <remarks>
/// A view like the other sidecars, so a reader must find out when it was lost: its <see cref="Generation"/> is another one then,
/// and numbers begin anew. That is so after a crash of the machine, too, which may take what was not synced yet; a killed
/// process takes nothing, since its writes are in the page cache. For one caller at a time (a grain's turns).
/// </remarks>
public sealed class ChangeRing : IDisposable
{
    // Record: checksum 4, state 1, state before 1, zero 2, number 8, sequence 8, cluster 8, cluster before 8, time 8, confidence 4, version 4, zero 8.
    private const int RecordBytes = 64;
    private const string FileName = "changes.ring";

    // Header: magic 8, log 16, boot 16, generation 4, capacity 4, closed 4, checksum 4.
    private const int HeaderBytes = 64;
    private const int CheckedHeader = 52;
    private const ulong Magic = 0x31_47_48_43_4C_41_48_53; // "SHALCHG1" in the file

    // 64 KiB a read while opening.
    private const int ScanRecords = 1_024;

    private readonly SidecarFile _file;
    private readonly int _capacity;
    private readonly UInt128 _log;
    private readonly UInt128 _boot;

    /// <summary>Opens the ring; empty, and of a new generation, when its file is absent, of another log, or may have lost changes.</summary>
    /// <param name="directory">A local folder of this shard and this process.</param>
    /// <param name="log">The log whose items it is about.</param>
    /// <param name="boot">Tells this start of the machine from others; <see cref="ThisBoot"/> unless a test says otherwise.</param>
    /// <param name="capacity">How many changes are kept, 1 and up; 64 bytes each.</param>
    /// <exception cref="StorageUnavailableException">The file cannot be opened, or somebody else has it open.</exception>
    public ChangeRing(string directory, UInt128 log, UInt128 boot, int capacity)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        (_log, _boot, _capacity) = (log, boot, capacity);
        _file = new SidecarFile(Path.Combine(directory, FileName));
        try
        {
            IsNew = !TryLoad();
            if (IsNew)
            {
                _file.Clear();
                (Generation, Last) = (NewGeneration(), 0);
            }

            WriteHeader(closed: false);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Removes the ring of a folder: the next one is of a new generation.</summary>
    /// <param name="directory">The folder; the ring must not be open.</param>
    public static void Remove(string directory) => File.Delete(Path.Combine(directory, FileName));

    /// <summary>Tells this start of the machine from others; random where the system does not say.</summary>
    public static UInt128 ThisBoot { get; } = Boot();

    /// <summary>Numbers are those of this generation; never 0.</summary>
    public uint Generation { get; private set; }

    /// <summary>The number of the newest change; 0 when there is none.</summary>
    public long Last { get; private set; }

    /// <summary>The number of the oldest change that is kept; 1 more than <see cref="Last"/> when none is.</summary>
    public long First => Math.Max(1, Last - _capacity + 1);

    /// <summary>Whether it is of a new generation since it was opened: what it held before, if anything, is lost.</summary>
    public bool IsNew { get; }

    /// <summary>Whether whoever wrote it last was killed: it may have missed what was about to be added.</summary>
    public bool WasKilled { get; private set; }

    /// <summary>Adds a change; the oldest goes for it.</summary>
    /// <param name="sequence">The item.</param>
    /// <param name="before">What was known of it.</param>
    /// <param name="now">What holds from now on.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or failing.</exception>
    public void Add(long sequence, in Assignment before, in Assignment now)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        record.Clear();
        record[4] = now.State;
        record[5] = before.State;
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], Last + 1);
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], now.Cluster);
        BinaryPrimitives.WriteInt64LittleEndian(record[32..], before.Cluster);
        BinaryPrimitives.WriteInt64LittleEndian(record[40..], now.Time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteSingleLittleEndian(record[48..], now.Confidence);
        BinaryPrimitives.WriteInt32LittleEndian(record[52..], now.ModelVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Check(record));
        _file.Write(Place(Last + 1), record);
        Last++;
    }

    /// <summary>Reads a change.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="change">The change.</param>
    /// <returns>False when it is not kept.</returns>
    public bool TryRead(long number, out AssignmentChange change)
    {
        change = default;
        if (number < First || number > Last)
        {
            return false;
        }

        Span<byte> record = stackalloc byte[RecordBytes];
        _file.Read(Place(number), record);
        if (NumberOf(record) != number)
        {
            return false;
        }

        change = Parse(record);
        return true;
    }

    /// <summary>Finds the changes of one item that are kept. It reads the whole ring: 8 MiB for 131,072 changes.</summary>
    /// <param name="sequence">The item.</param>
    /// <param name="most">How many are wanted at most.</param>
    /// <returns>The newest of them, newest first.</returns>
    public IReadOnlyList<AssignmentChange> Of(long sequence, int most)
    {
        var found = new List<AssignmentChange>();
        byte[] chunk = new byte[ScanRecords * RecordBytes];
        for (int first = 0; first < Math.Min(_capacity, Last + 1); first += ScanRecords)
        {
            int records = Math.Min(ScanRecords, _capacity - first);
            _file.Read(HeaderBytes + ((long)first * RecordBytes), chunk.AsSpan(0, records * RecordBytes));
            for (int i = 0; i < records; i++)
            {
                ReadOnlySpan<byte> record = chunk.AsSpan(i * RecordBytes, RecordBytes);
                if (BinaryPrimitives.ReadInt64LittleEndian(record[16..]) == sequence && NumberOf(record) >= First)
                {
                    found.Add(Parse(record));
                }
            }
        }

        found.Sort(static (one, other) => other.Number.CompareTo(one.Number));
        return found.Count > most ? found[..most] : found;
    }

    /// <summary>Closes the file; changes are on disk then.</summary>
    public void Dispose()
    {
        try
        {
            _file.Sync();
            WriteHeader(closed: true);
        }
        catch (StorageUnavailableException)
        {
            // As if it had been killed.
        }

        _file.Dispose();
    }

    private static uint NewGeneration() => (uint)RandomNumberGenerator.GetInt32(1, int.MaxValue);

    private static UInt128 Boot()
    {
        const string LinuxBootId = "/proc/sys/kernel/random/boot_id";
        Guid boot = File.Exists(LinuxBootId) && Guid.TryParse(File.ReadAllText(LinuxBootId), out Guid known) ? known : Guid.NewGuid();
        return BinaryPrimitives.ReadUInt128LittleEndian(boot.ToByteArray());
    }

    private static uint Check(ReadOnlySpan<byte> record) => Crc32C.Of(record[4..RecordBytes]);

    private static AssignmentChange Parse(ReadOnlySpan<byte> record) => new(
        BinaryPrimitives.ReadInt64LittleEndian(record[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(record[16..]),
        record[5],
        BinaryPrimitives.ReadInt64LittleEndian(record[32..]),
        new Assignment(
            record[4],
            BinaryPrimitives.ReadInt64LittleEndian(record[24..]),
            BinaryPrimitives.ReadSingleLittleEndian(record[48..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[52..]),
            0,
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(record[40..]))));

    // 0 when the record is not whole.
    private static long NumberOf(ReadOnlySpan<byte> record) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record) == Check(record) ? BinaryPrimitives.ReadInt64LittleEndian(record[8..]) : 0;

    private long Place(long number) => HeaderBytes + (number % _capacity * RecordBytes);

    private bool TryLoad()
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        _file.Read(0, header);
        bool closed = BinaryPrimitives.ReadInt32LittleEndian(header[48..]) != 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[CheckedHeader..]) != Crc32C.Of(header[..CheckedHeader])
            || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic
            || BinaryPrimitives.ReadUInt128LittleEndian(header[8..]) != _log
            || BinaryPrimitives.ReadInt32LittleEndian(header[44..]) != _capacity
            || (!closed && BinaryPrimitives.ReadUInt128LittleEndian(header[24..]) != _boot))
        {
            return false;
        }

        (Generation, Last, WasKilled) = (BinaryPrimitives.ReadUInt32LittleEndian(header[40..]), 0, !closed);
        byte[] chunk = new byte[ScanRecords * RecordBytes];
        for (int first = 0; first < _capacity && HeaderBytes + ((long)first * RecordBytes) < _file.Length; first += ScanRecords)
        {
            int records = Math.Min(ScanRecords, _capacity - first);
            _file.Read(HeaderBytes + ((long)first * RecordBytes), chunk.AsSpan(0, records * RecordBytes));
            for (int i = 0; i < records; i++)
            {
                Last = Math.Max(Last, NumberOf(chunk.AsSpan(i * RecordBytes, RecordBytes)));
            }
        }

        return true;
    }

    private void WriteHeader(bool closed)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt128LittleEndian(header[8..], _log);
        BinaryPrimitives.WriteUInt128LittleEndian(header[24..], _boot);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], Generation);
        BinaryPrimitives.WriteInt32LittleEndian(header[44..], _capacity);
        BinaryPrimitives.WriteInt32LittleEndian(header[48..], closed ? 1 : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[CheckedHeader..], Crc32C.Of(header[..CheckedHeader]));
        _file.Write(0, header);
        _file.Sync();
    }
}
