using System.Buffers.Binary;

namespace Shoal.Storage;

/// <summary>What the sidecars hold of a run of items, as one object of the store: all of it was read at one moment, so an assignment and its embedding fit each other.</summary>
/// <param name="Items">How many items.</param>
/// <param name="Width">Halves in an embedding; 0 for none.</param>
/// <param name="Bytes">Header, index records, assignments, embeddings.</param>
internal readonly record struct SidecarPage(int Items, int Width, byte[] Bytes)
{
    // Header: magic 8, items 4, width 4, checksum of all that follows 4, zero 4.
    private const int HeaderBytes = 24;
    private const ulong Magic = 0x31_47_50_43_4C_41_48_53; // "SHALCPG1" in the object

    private int IndexBytes => Items * ItemIndex.Layout.RecordBytes;

    private int AssignmentBytes => Items * AssignmentTable.Layout.RecordBytes;

    private int EmbeddingBytes => Items * AssignmentTable.EmbeddingLayout(Width).RecordBytes;

    internal Span<byte> Index => Bytes.AsSpan(HeaderBytes, IndexBytes);

    internal Span<byte> Assignments => Bytes.AsSpan(HeaderBytes + IndexBytes, AssignmentBytes);

    internal Span<byte> Embeddings => Bytes.AsSpan(HeaderBytes + IndexBytes + AssignmentBytes, EmbeddingBytes);

    /// <summary>Reads a page from the sidecars.</summary>
    /// <param name="index">The index.</param>
    /// <param name="table">The assignments.</param>
    /// <param name="first">The first item.</param>
    /// <param name="items">How many items.</param>
    internal static SidecarPage Read(ItemIndex index, AssignmentTable table, long first, int items)
    {
        SidecarPage page = Empty(items, table.Width);
        index.ReadRaw(first, page.Index);
        table.ReadRaw(first, page.Assignments, page.Embeddings);
        BinaryPrimitives.WriteUInt64LittleEndian(page.Bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(page.Bytes.AsSpan(8), items);
        BinaryPrimitives.WriteInt32LittleEndian(page.Bytes.AsSpan(12), page.Width);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes.AsSpan(16), Crc32C.Of(page.Bytes.AsSpan(HeaderBytes)));
        return page;
    }

    /// <summary>Takes a page from the store's bytes; null when they are none, or damaged.</summary>
    /// <param name="bytes">The object.</param>
    internal static SidecarPage? Parse(byte[] bytes)
    {
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
        {
            return null;
        }

        var items = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        var width = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        return items is >= 0 and <= PageMarks.PageItems && width is >= 0 and <= 65_536 && Length(items, width) == bytes.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16)) == Crc32C.Of(bytes.AsSpan(HeaderBytes))
            ? new SidecarPage(items, width, bytes)
            : null;
    }

    private static SidecarPage Empty(int items, int width) => new(items, width, new byte[Length(items, width)]);

    private static int Length(int items, int width) =>
        HeaderBytes + (items * (ItemIndex.Layout.RecordBytes + AssignmentTable.Layout.RecordBytes + AssignmentTable.EmbeddingLayout(width).RecordBytes));
}
