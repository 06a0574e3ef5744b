namespace Shoal.Storage;

/// <summary>Notes which pages of a shard's sidecars changed since they were copied. Safe for concurrent use.</summary>
public sealed class PageMarks
{
    /// <summary>Items in a page: 0.4 MB beside the embeddings, so that what arrives meanwhile costs one small object.</summary>
    public const int PageItems = 4_096;

    private readonly Lock _gate = new();
    private readonly HashSet<int> _pages = [];

    /// <summary>Notes a change of items.</summary>
    /// <param name="first">The first item's sequence number.</param>
    /// <param name="count">How many items.</param>
    internal void Mark(long first, long count = 1)
    {
        lock (_gate)
        {
            for (var page = first / PageItems; page <= (first + count - 1) / PageItems; page++)
            {
                _pages.Add((int)page);
            }
        }
    }

    /// <summary>The changed pages, in order; none is any more.</summary>
    internal int[] Take()
    {
        lock (_gate)
        {
            int[] taken = [.. _pages.Order()];
            _pages.Clear();
            return taken;
        }
    }
}
