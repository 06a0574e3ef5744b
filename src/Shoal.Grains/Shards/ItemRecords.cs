using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Reads index records.</summary>
internal static class ItemRecords
{
    /// <summary>Whether an item was replaced or deleted.</summary>
    public static bool IsGone(this in ItemRecord record) => record.Marks != ItemMarks.None;
}
