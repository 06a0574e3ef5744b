using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Exports.</content>
public sealed partial class ShoalClient
{
    /// <summary>Rows that are held and written together: 4 MB of embeddings of 512 values.</summary>
    private const int ExportRows = 4_096;

    /// <summary>Asked of a shard in one call.</summary>
    private const int ExportCall = 1_000;

    private static readonly Dictionary<(ExportFormat Format, ExportContent Content), Func<ShoalClient, string, Stream, CancellationToken, Task>> Exports = new()
    {
        [(ExportFormat.Csv, ExportContent.Assignments)] = static (client, dataset, output, token) => CsvExport.AssignmentsAsync(client.AssignmentsAsync(dataset, token), output, token),
        [(ExportFormat.Csv, ExportContent.Embeddings)] = static (client, dataset, output, token) => CsvExport.EmbeddingsAsync(client.EmbeddingsAsync(dataset, token), output, token),
        [(ExportFormat.Parquet, ExportContent.Assignments)] = static (client, dataset, output, token) => ParquetExport.AssignmentsAsync(client.AssignmentsAsync(dataset, token), output, token),
        [(ExportFormat.Parquet, ExportContent.Embeddings)] = static (client, dataset, output, token) => ParquetExport.EmbeddingsAsync(client.EmbeddingsAsync(dataset, token), output, token),
        [(ExportFormat.Npz, ExportContent.Embeddings)] = static (client, dataset, output, token) => NpzExport.EmbeddingsAsync(client.EmbeddingsAsync(dataset, token), output, token),
    };

    /// <summary>Whether something can be exported in a form.</summary>
    /// <param name="format">The form.</param>
    /// <param name="content">What.</param>
    /// <exception cref="ShoalException">Invalid: it cannot; the message says what can.</exception>
    public static void CheckExport(ExportFormat format, ExportContent content)
    {
        if (!Exports.ContainsKey((format, content)))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"Only embeddings are exported as {format.ToString().ToLowerInvariant()}; take csv or parquet for assignments.");
        }
    }

    /// <summary>Writes all items of a dataset to a stream, shard by shard, and holds a few thousand of them at most.</summary>
    /// <remarks>An item that stays is in it exactly once; what comes meanwhile may be in it or not.</remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="format">The form.</param>
    /// <param name="content">What of the items.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable, Damaged (a shard cannot be read before it is repaired), Conflict (the encoder changed its width meanwhile; begin again).</exception>
    public Task ExportAsync(string dataset, ExportFormat format, ExportContent content, Stream output, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        CheckExport(format, content);
        return Exports[(format, content)](this, dataset, output, cancellationToken);
    }

    /// <summary>All items, shard by shard, some thousand at a time.</summary>
    private async IAsyncEnumerable<ItemAnswer[]> AssignmentsAsync(string dataset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var filter = new ItemFilter();
        var held = new List<ItemAnswer>(ExportRows + ExportCall);
        for (int shard = 0; shard < route.Shards.Length; shard++)
        {
            for (ListPlace at = ListPlace.Start; !at.IsDone(filter.Newest);)
            {
                (IShardGrain asked, ListPlace from) = (route[shard], at);
                ShardItems part = await CallAsync(() => asked.ListAsync(filter, from, ExportCall), cancellationToken);
                held.AddRange(part.Items.Select(item => item.Item));
                at = part.Next;
                if (held.Count >= ExportRows)
                {
                    yield return [.. held];
                    held.Clear();
                }
            }
        }

        if (held.Count > 0)
        {
            yield return [.. held];
        }
    }

    /// <summary>All embeddings, shard by shard, some thousand at a time.</summary>
    private async IAsyncEnumerable<EmbeddingSlice> EmbeddingsAsync(string dataset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var held = new List<EmbeddingSlice>();
        int width = 0;
        for (int shard = 0; shard < route.Shards.Length; shard++)
        {
            for ((long at, long end) = (0, long.MaxValue); at < end;)
            {
                (IShardGrain asked, long from) = (route[shard], at);
                EmbeddingSlice part = await CallAsync(() => asked.ReadEmbeddingsAsync(from, ExportCall), cancellationToken);
                (at, end) = (part.Next, part.End);
                if (part.Ids.Length == 0)
                {
                    continue;
                }

                if (width != 0 && part.Width != width)
                {
                    throw new ShoalException(ShoalErrorKind.Conflict, $"Embeddings have {part.Width} values now and had {width} when the export began; begin again.");
                }

                width = part.Width;
                held.Add(part);
                if (held.Sum(slice => slice.Ids.Length) >= ExportRows)
                {
                    yield return Join(held);
                    held.Clear();
                }
            }
        }

        if (held.Count > 0)
        {
            yield return Join(held);
        }
    }

    private static EmbeddingSlice Join(List<EmbeddingSlice> slices)
    {
        byte[] embeddings = new byte[slices.Sum(slice => slice.Embeddings.Length)];
        int at = 0;
        foreach (EmbeddingSlice slice in slices)
        {
            slice.Embeddings.CopyTo(embeddings, at);
            at += slice.Embeddings.Length;
        }

        return slices[^1] with { Ids = [.. slices.SelectMany(slice => slice.Ids)], Versions = [.. slices.SelectMany(slice => slice.Versions)], Embeddings = embeddings };
    }
}
