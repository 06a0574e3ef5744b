using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Shoal.Storage;

/// <summary>What is known of an item's cluster.</summary>
/// <param name="State">The caller's code for pending, assigned, outlier, ...; 0 is pending.</param>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="ModelVersion">The version that assigned it.</param>
/// <param name="EmbeddingVersion">The version whose encoder made its embedding; 0 when there is none.</param>
/// <param name="Time">When it was assigned.</param>
public readonly record struct Assignment(
    byte State, long Cluster, float Confidence, int ModelVersion, int EmbeddingVersion, DateTimeOffset Time)
{
    /// <summary>Nothing is known yet; also what a torn record reads as.</summary>
    public static Assignment Pending => new(0, 0, 0, 0, 0, DateTimeOffset.UnixEpoch);
}

/// <summary>Keeps every item's assignment and embedding, by sequence number.</summary>
/// <remarks>
/// A view on a local folder: what it has lost reads as pending and is assigned anew. For one caller at a time (a grain's turns);
/// every call is synchronous and takes microseconds: a read or write of the page cache, without sync.
/// </remarks>
public sealed class AssignmentTable : IDisposable
{
    // Record: check 2, state 1, zero 1, confidence 4, cluster 8, model version 4, embedding version 4, time 8.
    private const int RecordBytes = 32;

    // Embeddings: magic 8, width 4, checksum 4; rows start at 64, so that a row of 32 halves never straddles a page.
    private const int HeaderBytes = 64;
    private const ulong Magic = 0x31_42_4D_45_4C_41_48_53; // "SHALEMB1" in the file

    // 32 KiB of the stack's megabyte.
    private const int StackRecords = 1024;

    internal static readonly SidecarLayout Layout = new("assignments.tab", 0, RecordBytes);

    /// <summary>How embeddings of a width lie on disk.</summary>
    internal static SidecarLayout EmbeddingLayout(int width) => new("embeddings.f16", HeaderBytes, width * 2);

    private readonly SidecarFile _assignments;
    private readonly SidecarFile _embeddings;
    private readonly PageMarks? _marks;

    /// <summary>Opens the table, empty when its files are absent. One opener at a time.</summary>
    /// <param name="directory">A local folder of this shard and this process.</param>
    /// <param name="marks">Is told which pages change; null where nobody asks.</param>
    /// <exception cref="StorageUnavailableException">A file cannot be opened, or somebody else has it open.</exception>
    public AssignmentTable(string directory, PageMarks? marks = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _marks = marks;
        _assignments = new SidecarFile(Layout.In(directory));
        try
        {
            _embeddings = new SidecarFile(EmbeddingLayout(0).In(directory));
        }
        catch
        {
            _assignments.Dispose();
            throw;
        }

        Width = ReadWidth();
    }

    /// <summary>Halves in an embedding; 0 until <see cref="UseWidth"/>.</summary>
    public int Width { get; private set; }

    /// <summary>Fixes the width of the embeddings; those of another width are discarded (they read as zeros).</summary>
    /// <param name="width">1 to 65,536.</param>
    /// <returns>Whether embeddings of this width were kept.</returns>
    public bool UseWidth(int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, 65_536);
        if (width == Width)
        {
            return true;
        }

        _embeddings.Clear();
        Width = 0;
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], width);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], Crc32C.Of(header[..12]));
        _embeddings.Write(0, header);
        Width = width;
        return false;
    }

    /// <summary>Writes one item's assignment.</summary>
    /// <param name="sequence">The item.</param>
    /// <param name="assignment">What to keep; the time to the millisecond.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or failing.</exception>
    public void Write(long sequence, in Assignment assignment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        Span<byte> record = stackalloc byte[RecordBytes];
        Encode(record, sequence, assignment);
        _assignments.Write(sequence * RecordBytes, record);
        _marks?.Mark(sequence);
    }

    /// <summary>Writes the assignments of a run of items.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="assignments">One for each item.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or failing.</exception>
    public void WriteMany(long fromSequence, ReadOnlySpan<Assignment> assignments)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        if (assignments.IsEmpty)
        {
            return;
        }

        Span<byte> records = stackalloc byte[Math.Min(assignments.Length, StackRecords) * RecordBytes];
        for (int done = 0; done < assignments.Length; done += StackRecords)
        {
            int count = Math.Min(StackRecords, assignments.Length - done);
            for (int i = 0; i < count; i++)
            {
                Encode(records.Slice(i * RecordBytes, RecordBytes), fromSequence + done + i, assignments[done + i]);
            }

            _assignments.Write((fromSequence + done) * RecordBytes, records[..(count * RecordBytes)]);
        }

        _marks?.Mark(fromSequence, assignments.Length);
    }

    /// <summary>Reads one item's assignment; pending when there is none.</summary>
    /// <param name="sequence">The item.</param>
    public Assignment Read(long sequence)
    {
        Assignment assignment = default;
        ReadMany(sequence, new Span<Assignment>(ref assignment));
        return assignment;
    }

    /// <summary>Reads the assignments of a run of items; pending where there are none.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="assignments">Filled whole.</param>
    public void ReadMany(long fromSequence, Span<Assignment> assignments)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        Span<byte> records = stackalloc byte[Math.Min(assignments.Length, StackRecords) * RecordBytes];
        for (int done = 0; done < assignments.Length; done += StackRecords)
        {
            int count = Math.Min(StackRecords, assignments.Length - done);
            Span<byte> part = records[..(count * RecordBytes)];
            _assignments.Read((fromSequence + done) * RecordBytes, part);
            for (int i = 0; i < count; i++)
            {
                assignments[done + i] = Decode(part.Slice(i * RecordBytes, RecordBytes), fromSequence + done + i);
            }
        }
    }

    /// <summary>Writes the embeddings of a run of items.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="embeddings">[N, Width], row by row.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or failing.</exception>
    public void WriteEmbeddings(long fromSequence, ReadOnlySpan<Half> embeddings)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        CheckRows(embeddings.Length, rows: null);
        _embeddings.Write(Row(fromSequence), MemoryMarshal.AsBytes(embeddings));
        _marks?.Mark(fromSequence, Math.Max(1, embeddings.Length / Width));
    }

    /// <summary>Writes the embeddings of any items.</summary>
    /// <param name="sequences">[N] items.</param>
    /// <param name="embeddings">[N, Width], row by row.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or failing.</exception>
    public void WriteEmbeddings(ReadOnlySpan<long> sequences, ReadOnlySpan<Half> embeddings)
    {
        CheckRows(embeddings.Length, sequences.Length);
        for (int first = 0, end; first < sequences.Length; first = end)
        {
            // Neighbours go out in one write.
            end = first + 1;
            while (end < sequences.Length && sequences[end] == sequences[end - 1] + 1)
            {
                end++;
            }

            WriteEmbeddings(sequences[first], embeddings[(first * Width)..(end * Width)]);
        }
    }

    /// <summary>Reads the embeddings of a run of items; zeros where there are none.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="count">How many items.</param>
    /// <param name="embeddings">[count, Width], filled whole.</param>
    public void ReadEmbeddings(long fromSequence, int count, Span<Half> embeddings)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromSequence);
        CheckRows(embeddings.Length, count);
        _embeddings.Read(Row(fromSequence), MemoryMarshal.AsBytes(embeddings));
    }

    /// <summary>The assignments and embeddings of a run of items, as they lie on disk.</summary>
    /// <param name="first">The first item.</param>
    /// <param name="assignments">Filled whole.</param>
    /// <param name="embeddings">Filled whole; of no length while there is no width.</param>
    internal void ReadRaw(long first, Span<byte> assignments, Span<byte> embeddings)
    {
        _assignments.Read(Layout.Place(first), assignments);
        _embeddings.Read(Row(first), embeddings);
    }

    /// <summary>The header of the embeddings as it lies on disk.</summary>
    internal byte[] ReadEmbeddingHeader()
    {
        byte[] header = new byte[HeaderBytes];
        _embeddings.Read(0, header);
        return header;
    }

    /// <summary>Forgets everything, the width too.</summary>
    public void Clear()
    {
        _assignments.Clear();
        _embeddings.Clear();
        Width = 0;
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _assignments.Dispose();
        _embeddings.Dispose();
    }

    private static void Encode(Span<byte> record, long sequence, in Assignment assignment)
    {
        record[2] = assignment.State;
        record[3] = 0;
        BinaryPrimitives.WriteSingleLittleEndian(record[4..], assignment.Confidence);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], assignment.Cluster);
        BinaryPrimitives.WriteInt32LittleEndian(record[16..], assignment.ModelVersion);
        BinaryPrimitives.WriteInt32LittleEndian(record[20..], assignment.EmbeddingVersion);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], assignment.Time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt16LittleEndian(record, Check(record, sequence));
    }

    private static Assignment Decode(ReadOnlySpan<byte> record, long sequence) =>
        BinaryPrimitives.ReadUInt16LittleEndian(record) == Check(record, sequence)
            ? new Assignment(
                record[2],
                BinaryPrimitives.ReadInt64LittleEndian(record[8..]),
                BinaryPrimitives.ReadSingleLittleEndian(record[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(record[16..]),
                BinaryPrimitives.ReadInt32LittleEndian(record[20..]),
                DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(record[24..])))
            : Assignment.Pending;

    private static ushort Check(ReadOnlySpan<byte> record, long sequence)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, sequence);
        uint crc = ~Crc32C.Add(Crc32C.Add(Crc32C.Start, number), record[2..RecordBytes]);
        return (ushort)(crc ^ (crc >> 16));
    }

    private long Row(long sequence) => EmbeddingLayout(Width).Place(sequence);

    private void CheckRows(int halves, int? rows)
    {
        if (Width == 0)
        {
            throw new InvalidOperationException($"Call {nameof(UseWidth)} first: the embeddings have no width yet.");
        }

        if (rows is { } count ? halves != (long)count * Width : halves % Width != 0)
        {
            throw new ArgumentException($"{halves} halves are not {(rows is { } n ? $"{n} rows" : "whole rows")} of {Width}.", nameof(halves));
        }
    }

    private int ReadWidth()
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        _embeddings.Read(0, header);
        return BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) == Crc32C.Of(header[..12])
            ? BinaryPrimitives.ReadInt32LittleEndian(header[8..]) : 0;
    }
}
