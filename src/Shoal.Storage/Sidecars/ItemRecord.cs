namespace Shoal.Storage;

/// <summary>What has become of an item.</summary>
[Flags]
public enum ItemMarks
{
    /// <summary>It is the item of its id.</summary>
    None = 0,

    /// <summary>A later item has replaced it.</summary>
    Superseded = 1,

    /// <summary>It has been deleted; its id is found until a new item takes it.</summary>
    Deleted = 2,

    /// <summary>Its bytes are gone from the log.</summary>
    Erased = 4,
}

/// <summary>One item as the index knows it.</summary>
/// <param name="Position">Where it stands in the log.</param>
/// <param name="IdHash">A 128-bit hash of the id.</param>
/// <param name="ContentHash">The first 128 bits of the bytes' SHA-256.</param>
/// <param name="Time">When it was appended.</param>
/// <param name="Marks">What has become of it.</param>
public readonly record struct ItemRecord(LogPosition Position, UInt128 IdHash, UInt128 ContentHash, DateTimeOffset Time, ItemMarks Marks);
