using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Reads a shard's embeddings part by part, for exports.</summary>
internal sealed class ShardEmbeddings(ShardStore items)
{
    private const int Block = 1_024;

    // 3 MB of assignments and as many embeddings as are asked for: a few milliseconds of the shard's turn.
    private const int MostScanned = 65_536;

    /// <summary>Embeddings from a position on, of items that have one.</summary>
    /// <param name="from">The first sequence number looked at.</param>
    /// <param name="maxItems">The most items returned.</param>
    public async Task<EmbeddingSlice> ReadAsync(long from, int maxItems)
    {
        // All within one turn: an embedding is told with the version that made it.
        var (end, width) = (items.Index.Count, items.Table.Width);
        var found = new List<Row>();
        var next = Scan(Math.Clamp(from, 0, end), end, width, maxItems, found);
        var ids = await items.IdsOfAsync(found.Select(row => row.Sequence));
        // Without an id it was deleted and erased while the others were read.
        (Row Row, string? Id)[] rows = [.. found.Zip(ids).Where(p => p.Second is not null)];
        var embeddings = new byte[rows.Length * width * Unsafe.SizeOf<Half>()];
        foreach (var (at, row) in rows.Index())
        {
            row.Row.Embedding.AsSpan().CopyTo(MemoryMarshal.Cast<byte, Half>(embeddings.AsSpan())[(at * width)..]);
        }

        return new EmbeddingSlice
        {
            Ids = [.. rows.Select(row => row.Id!)],
            Versions = [.. rows.Select(row => row.Row.Version)],
            Embeddings = embeddings,
            Width = width,
            Next = next,
            End = end,
        };
    }

    private long Scan(long from, long end, int width, int maxItems, List<Row> found)
    {
        var block = new Assignment[Block];
        var last = Math.Min(end, from + MostScanned);
        while (from < last)
        {
            Span<Assignment> read = block.AsSpan(0, (int)Math.Min(Block, last - from));
            items.Table.ReadMany(from, read);
            foreach (ref readonly Assignment assignment in read)
            {
                if (found.Count == maxItems)
                {
                    return from;
                }

                if (assignment.StateOf() is AssignmentState.Assigned or AssignmentState.Outlier && !items.Index.Get(from).IsGone())
                {
                    var embedding = new Half[width];
                    items.Table.ReadEmbeddings(from, 1, embedding);
                    found.Add(new Row(from, assignment.EmbeddingVersion, embedding));
                }

                from++;
            }
        }

        return from;
    }

    private readonly record struct Row(long Sequence, int Version, Half[] Embedding);
}
