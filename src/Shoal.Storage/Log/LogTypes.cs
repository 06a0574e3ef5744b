namespace Shoal.Storage;

/// <summary>One item to append.</summary>
/// <param name="Id">The item's id, at most 65,535 bytes of UTF-8.</param>
/// <param name="MediaType">What the bytes are.</param>
/// <param name="Bytes">The original bytes; not copied, so leave them alone until the append returns.</param>
/// <param name="Metadata">The user's keys and values, if any.</param>
/// <param name="ContentHash">The first 128 bits of the bytes' SHA-256.</param>
/// <param name="IdHash">A 128-bit hash of the id; the index finds items by it.</param>
public sealed record LogEntry(
    string Id, string MediaType, byte[] Bytes, IReadOnlyDictionary<string, string>? Metadata, UInt128 ContentHash, UInt128 IdHash)
{
    /// <summary>Whether it takes a sequence number; a tombstone or an expiry takes none.</summary>
    public bool IsItem => Kind == LogRecordKind.Item;

    internal LogRecordKind Kind { get; private init; } = LogRecordKind.Item;

    /// <summary>A tombstone. It holds the id's hash alone, so that nothing of a forgotten item stays.</summary>
    /// <param name="idHash">A 128-bit hash of the id.</param>
    public static LogEntry Deletion(UInt128 idHash) => new(string.Empty, string.Empty, [], Metadata: null, ContentHash: 0, idHash) { Kind = LogRecordKind.Tombstone };

    /// <summary>Deletes all items below a sequence number.</summary>
    /// <param name="below">The first item that is spared.</param>
    public static LogEntry Expiry(long below) => new(string.Empty, string.Empty, [], Metadata: null, (UInt128)below, IdHash: 0) { Kind = LogRecordKind.Expiry };
}

/// <summary>Where an item stands in the log.</summary>
/// <param name="Sequence">Its number, dense over the items of the shard, from 0.</param>
/// <param name="Segment">The segment's number, from 1.</param>
/// <param name="Offset">The record's offset in the segment, in bytes.</param>
/// <param name="Length">The record's length, in bytes.</param>
public readonly record struct LogPosition(long Sequence, int Segment, long Offset, int Length);

/// <summary>One item read back.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Epoch">The epoch of the writer that appended it.</param>
/// <param name="Time">When it was appended.</param>
/// <param name="Id">The item's id.</param>
/// <param name="MediaType">What the bytes are.</param>
/// <param name="Metadata">The user's keys and values; empty when there are none.</param>
/// <param name="ContentHash">The first 128 bits of the bytes' SHA-256.</param>
/// <param name="IdHash">A 128-bit hash of the id.</param>
/// <param name="Bytes">The original bytes: a slice of a larger read, so copy them to keep them long.</param>
public sealed record LogRecord(
    LogPosition Position,
    long Epoch,
    DateTimeOffset Time,
    string Id,
    string MediaType,
    IReadOnlyDictionary<string, string> Metadata,
    UInt128 ContentHash,
    UInt128 IdHash,
    ReadOnlyMemory<byte> Bytes);

/// <summary>What the index keeps of an item.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="IdHash">A 128-bit hash of the id.</param>
/// <param name="ContentHash">The first 128 bits of the bytes' SHA-256.</param>
/// <param name="Time">When it was appended.</param>
public readonly record struct LogIndexEntry(LogPosition Position, UInt128 IdHash, UInt128 ContentHash, DateTimeOffset Time);

/// <summary>Up to where an index covers its log.</summary>
/// <param name="Log">Which log this is: the random name in its very first record. A log made anew under an old name has another.</param>
/// <param name="Segment">The segment of the last record that it covers.</param>
/// <param name="Offset">The end of that record, in bytes.</param>
/// <param name="NextSequence">The first sequence number that it does not have.</param>
/// <param name="Epoch">The newest epoch that it has seen.</param>
/// <param name="LastLength">The length of that record; with its checksum it tells whether the log has lost it.</param>
/// <param name="LastChecksum">The checksum of that record.</param>
public readonly record struct LogCheckpoint(
    UInt128 Log, int Segment, long Offset, long NextSequence, long Epoch, int LastLength, uint LastChecksum);

/// <summary>The view of a log that knows where its items stand; a log fills it and asks it.</summary>
/// <remarks>Calls come from the log's own tasks, so an implementation is safe for concurrent use.</remarks>
public interface ILogReplayTarget
{
    /// <summary>Up to where it covers the log; null when it is empty.</summary>
    LogCheckpoint? Covered { get; }

    /// <summary>Empties it: it is not of this log.</summary>
    void Reset();

    /// <summary>Makes room, before the log writes, so that <see cref="Add"/> cannot fail for lack of it.</summary>
    /// <param name="items">How many items come.</param>
    /// <exception cref="StorageUnavailableException">There is no room.</exception>
    void Reserve(int items);

    /// <summary>Adds the next item.</summary>
    /// <param name="entry">Its sequence number is the number of items so far.</param>
    void Add(in LogIndexEntry entry);

    /// <summary>Enters items that are gone, as deleted ones: nothing is known but that their sequence numbers were used.</summary>
    /// <param name="first">The first of them, with a length of 0; its id hash is 0 where it is not known.</param>
    /// <param name="count">How many.</param>
    void Skip(in LogIndexEntry first, long count);

    /// <summary>Marks the newest item of an id as deleted; nothing when there is none.</summary>
    /// <param name="idHash">A 128-bit hash of the id.</param>
    void Delete(UInt128 idHash);

    /// <summary>Marks all items below a sequence number as deleted.</summary>
    /// <param name="below">The first item that is spared.</param>
    void Expire(long below);

    /// <summary>Says that everything up to here has been added.</summary>
    /// <param name="covered">The new mark.</param>
    void Commit(in LogCheckpoint covered);

    /// <summary>Tells where items stand; one whose bytes are gone has a length of 0.</summary>
    /// <param name="fromSequence">The first item.</param>
    /// <param name="positions">Filled from its start.</param>
    /// <returns>How many were filled; fewer than asked at the end.</returns>
    int Locate(long fromSequence, Span<LogPosition> positions);
}
