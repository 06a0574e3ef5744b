using System.Buffers.Binary;
using System.Text;

namespace Shoal.Storage;

/// <summary>What a record is.</summary>
internal enum LogRecordKind : byte
{
    /// <summary>An item.</summary>
    Item = 1,

    /// <summary>A writer's claim to the log; its id is a random name, so that no two openers write the same bytes.</summary>
    Epoch = 2,

    /// <summary>The end of a segment; its id is the number of the next.</summary>
    Roll = 3,

    /// <summary>The deletion of the newest item of its id hash; its sequence number is the one that comes next.</summary>
    Tombstone = 4,

    /// <summary>Where items stood that are gone: the first one's sequence number, and how many in place of the content hash. The rest is zeros.</summary>
    Gap = 5,

    /// <summary>All items with sequence numbers below the one in place of the content hash are deleted; its own is the one that comes next.</summary>
    Expiry = 6,
}

/// <summary>The fixed part of a record.</summary>
internal readonly record struct LogRecordHeader(
    int Length, uint Checksum, LogRecordKind Kind, int IdBytes, int MediaTypeBytes, int MetadataBytes,
    long Epoch, long Sequence, long UnixMilliseconds, UInt128 ContentHash, UInt128 IdHash)
{
    // A record that a search may believe in lies this far ahead at most; a segment holds far fewer items and epochs.
    private const long PlausibleAhead = 10_000_000;

    /// <summary>Whether it can stand somewhere behind what has been read.</summary>
    internal bool MayFollow(long epoch, long sequence) =>
        Epoch >= epoch && Epoch - epoch < PlausibleAhead && Sequence >= sequence && Sequence - sequence < PlausibleAhead;
}

/// <summary>
/// Turns records into bytes and back. Format version 1, little-endian:
/// <code>
///  0 u32 length of the whole record     20 i64 epoch
///  4 u32 CRC-32C                        28 i64 sequence
///  8 u8  format version (1)             36 i64 time, Unix ms
///  9 u8  kind                           44 u128 content hash
/// 10 u16 bytes of id                    60 u128 id hash
/// 12 u16 bytes of media type            76 id, media type, metadata, original bytes
/// 14 u16 zero
/// 16 u32 bytes of metadata (u16 count, then for each key and value: u16 bytes, UTF-8)
/// </code>
/// The checksum covers the segment's number, the record's offset and every byte but its own: a record is valid only where it was
/// written. So bytes of an item that look like a record (a user may upload a log) are never taken for one.
/// </summary>
internal static class LogRecordCodec
{
    internal const int HeaderBytes = 76;
    internal const byte FormatVersion = 1;
    private const int KindOffset = 9;
    private const int ChecksumOffset = 4;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false);

    internal static long Measure(LogEntry entry) =>
        HeaderBytes + Utf8.GetByteCount(entry.Id) + Utf8.GetByteCount(entry.MediaType) + MetadataLength(entry.Metadata) + (long)entry.Bytes.Length;

    /// <summary>Says what is wrong with an entry; null when it fits the format.</summary>
    internal static string? Problem(LogEntry entry)
    {
        if (Utf8.GetByteCount(entry.Id) > ushort.MaxValue || Utf8.GetByteCount(entry.MediaType) > ushort.MaxValue)
        {
            return "The id or the media type is longer than 65,535 bytes.";
        }

        if (entry.Metadata is { } metadata && (metadata.Count > ushort.MaxValue || metadata.Any(pair =>
            Utf8.GetByteCount(pair.Key) > ushort.MaxValue || Utf8.GetByteCount(pair.Value) > ushort.MaxValue)))
        {
            return "The metadata has more than 65,535 keys, or a key or a value longer than 65,535 bytes.";
        }

        return null;
    }

    /// <summary>An item, a tombstone or an expiry.</summary>
    internal static int WriteEntry(Span<byte> target, int segment, long offset, long epoch, long sequence, DateTimeOffset time, LogEntry entry) =>
        Write(target, segment, offset, entry.Kind, epoch, sequence, time, entry);

    /// <summary>An epoch or a roll record.</summary>
    internal static byte[] Marker(int segment, long offset, LogRecordKind kind, long epoch, long nextSequence, DateTimeOffset time, string id)
    {
        LogEntry entry = new(id, "", [], Metadata: null, ContentHash: 0, IdHash: 0);
        byte[] bytes = new byte[Measure(entry)];
        Write(bytes, segment, offset, kind, epoch, nextSequence, time, entry);
        return bytes;
    }

    /// <summary>Writes a gap over a range that whole records filled.</summary>
    /// <param name="target">The range, all of it; at least <see cref="HeaderBytes"/>.</param>
    /// <param name="segment">The segment's number.</param>
    /// <param name="offset">The range's offset in the segment.</param>
    /// <param name="epoch">The epoch of what stood there.</param>
    /// <param name="sequence">The first item that is gone; the number that comes next when none is.</param>
    /// <param name="items">How many items are gone.</param>
    /// <param name="time">When.</param>
    /// <param name="idHash">The hash of the one item's id; 0 where it is not known.</param>
    internal static void WriteGap(Span<byte> target, int segment, long offset, long epoch, long sequence, long items, DateTimeOffset time, UInt128 idHash)
    {
        target.Clear();
        Write(target, segment, offset, LogRecordKind.Gap, epoch, sequence, time, new LogEntry("", "", [], Metadata: null, (UInt128)items, idHash), target.Length);
    }

    /// <summary>How many items a gap stands for.</summary>
    internal static long GapItems(in LogRecordHeader header) => (long)(ulong)header.ContentHash;

    /// <summary>The first item that an expiry spares.</summary>
    internal static long ExpiredBelow(in LogRecordHeader header) => (long)(ulong)header.ContentHash;

    /// <summary>Makes a record valid for another place.</summary>
    /// <param name="record">The whole record.</param>
    /// <param name="segment">The segment's number.</param>
    /// <param name="offset">The record's offset there.</param>
    internal static void Move(Span<byte> record, int segment, long offset) =>
        BinaryPrimitives.WriteUInt32LittleEndian(record[ChecksumOffset..], Checksum(record, segment, offset));

    /// <summary>Whether a whole record stands there that this version does not know: a newer one wrote it.</summary>
    internal static bool IsForeign(ReadOnlySpan<byte> bytes, int segment, long offset)
    {
        if (bytes.Length < HeaderBytes || TryReadHeader(bytes, out _))
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return length >= HeaderBytes && length <= bytes.Length
            && Checksum(bytes[..length], segment, offset) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]);
    }

    /// <summary>Reads the fixed part; false when it cannot be one.</summary>
    internal static bool TryReadHeader(ReadOnlySpan<byte> bytes, out LogRecordHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes || bytes[8] != FormatVersion || bytes[KindOffset] is < (byte)LogRecordKind.Item or > (byte)LogRecordKind.Expiry)
        {
            return false;
        }

        header = new LogRecordHeader(
            BinaryPrimitives.ReadInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]),
            (LogRecordKind)bytes[KindOffset],
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[28..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[36..]),
            BinaryPrimitives.ReadUInt128LittleEndian(bytes[44..]),
            BinaryPrimitives.ReadUInt128LittleEndian(bytes[60..]));
        return header.MetadataBytes >= 0
            && header.Length >= HeaderBytes + header.IdBytes + header.MediaTypeBytes + (long)header.MetadataBytes;
    }

    /// <summary>Whether a whole record stands at the start of the bytes and was written for this place.</summary>
    internal static bool IsValid(ReadOnlySpan<byte> bytes, in LogRecordHeader header, int segment, long offset) =>
        header.Length <= bytes.Length && Checksum(bytes[..header.Length], segment, offset) == header.Checksum;

    internal static string ReadId(ReadOnlySpan<byte> record, in LogRecordHeader header) =>
        Utf8.GetString(record.Slice(HeaderBytes, header.IdBytes));

    internal static LogRecord ReadItem(ReadOnlyMemory<byte> record, in LogRecordHeader header, LogPosition position)
    {
        ReadOnlySpan<byte> span = record.Span;
        int mediaType = HeaderBytes + header.IdBytes;
        int metadata = mediaType + header.MediaTypeBytes;
        int bytes = metadata + header.MetadataBytes;
        return new LogRecord(
            position,
            header.Epoch,
            DateTimeOffset.FromUnixTimeMilliseconds(header.UnixMilliseconds),
            ReadId(span, header),
            Utf8.GetString(span.Slice(mediaType, header.MediaTypeBytes)),
            ReadMetadata(span.Slice(metadata, header.MetadataBytes)),
            header.ContentHash,
            header.IdHash,
            record[bytes..header.Length]);
    }

    // Longer than the entry where the rest of the target is to be part of the record as it is.
    private static int Write(
        Span<byte> target, int segment, long offset, LogRecordKind kind, long epoch, long sequence, DateTimeOffset time, LogEntry entry, int? fill = null)
    {
        int length = fill ?? checked((int)Measure(entry));
        int idBytes = Utf8.GetBytes(entry.Id, target[HeaderBytes..]);
        int mediaTypeBytes = Utf8.GetBytes(entry.MediaType, target[(HeaderBytes + idBytes)..]);
        int metadata = HeaderBytes + idBytes + mediaTypeBytes;
        int metadataBytes = WriteMetadata(target[metadata..], entry.Metadata);
        entry.Bytes.CopyTo(target[(metadata + metadataBytes)..]);

        BinaryPrimitives.WriteInt32LittleEndian(target, length);
        target[8] = FormatVersion;
        target[KindOffset] = (byte)kind;
        BinaryPrimitives.WriteUInt16LittleEndian(target[10..], (ushort)idBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(target[12..], (ushort)mediaTypeBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(target[14..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], metadataBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[20..], epoch);
        BinaryPrimitives.WriteInt64LittleEndian(target[28..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[36..], time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt128LittleEndian(target[44..], entry.ContentHash);
        BinaryPrimitives.WriteUInt128LittleEndian(target[60..], entry.IdHash);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumOffset..], Checksum(target[..length], segment, offset));
        return length;
    }

    private static uint Checksum(ReadOnlySpan<byte> record, int segment, long offset)
    {
        Span<byte> place = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(place, segment);
        BinaryPrimitives.WriteInt64LittleEndian(place[4..], offset);
        uint crc = Crc32C.Add(Crc32C.Start, place);
        crc = Crc32C.Add(crc, record[..ChecksumOffset]);
        return ~Crc32C.Add(crc, record[(ChecksumOffset + sizeof(uint))..]);
    }

    private static int MetadataLength(IReadOnlyDictionary<string, string>? metadata) =>
        metadata is null or { Count: 0 } ? 0 : 2 + metadata.Sum(pair => 4 + Utf8.GetByteCount(pair.Key) + Utf8.GetByteCount(pair.Value));

    private static int WriteMetadata(Span<byte> target, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null or { Count: 0 })
        {
            return 0;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)metadata.Count);
        int at = 2;
        foreach ((string key, string value) in metadata)
        {
            at += WriteText(target[at..], key);
            at += WriteText(target[at..], value);
        }

        return at;
    }

    private static int WriteText(Span<byte> target, string text)
    {
        int bytes = Utf8.GetBytes(text, target[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)bytes);
        return 2 + bytes;
    }

    private static Dictionary<string, string> ReadMetadata(ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        if (bytes.Length == 0)
        {
            return metadata;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        bytes = bytes[2..];
        for (int i = 0; i < count; i++)
        {
            string key = ReadText(ref bytes);
            metadata[key] = ReadText(ref bytes);
        }

        return metadata;
    }

    private static string ReadText(ref ReadOnlySpan<byte> bytes)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        string text = Utf8.GetString(bytes.Slice(2, length));
        bytes = bytes[(2 + length)..];
        return text;
    }
}
