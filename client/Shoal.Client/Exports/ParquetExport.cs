using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Parquet;
using Parquet.Schema;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Writes exports as Apache Parquet, a row group for each part that comes; only one is held.</summary>
internal static class ParquetExport
{
    private static readonly DataField Id = new DataField<string>("id");
    private static readonly DataField Version = new DataField<int>("model_version");

    private static readonly DataField State = new DataField<string>("state");
    private static readonly DataField Cluster = new DataField<long?>("cluster");
    private static readonly DataField ClusterName = new DataField<string>("cluster_name");
    private static readonly DataField Confidence = new DataField<float?>("confidence");
    private static readonly DataField Stored = new DateTimeDataField("stored", DateTimeFormat.DateAndTimeMicros, isAdjustedToUTC: true, unit: null, isNullable: false);

    // A list of single precision: readers that know half precision are few.
    private static readonly DataField Embedding = new("embedding", typeof(float), isNullable: false, isArray: true);

    /// <summary>Writes assignments.</summary>
    /// <param name="items">The items, some thousand at a time.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task AssignmentsAsync(IAsyncEnumerable<ItemAnswer[]> items, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(new ParquetSchema(Id, State, Cluster, ClusterName, Confidence, Version, Stored), items, output, static async (rows, part) =>
        {
            await rows.WriteAsync(Id, Array.ConvertAll(part, item => item.Id));
            await rows.WriteAsync(State, Array.ConvertAll(part, item => item.State.ToString().ToLowerInvariant()));
            await rows.WriteAsync<long>(Cluster, Array.ConvertAll(part, item => item.Cluster));
            await rows.WriteAsync(ClusterName, Array.ConvertAll(part, item => item.ClusterName!));
            await rows.WriteAsync<float>(Confidence, Array.ConvertAll(part, item => item.Cluster is null ? (float?)null : item.Confidence));
            await rows.WriteAsync<int>(Version, Array.ConvertAll(part, item => item.ModelVersion));
            await rows.WriteAsync<DateTime>(Stored, Array.ConvertAll(part, item => item.ReceivedAt.GetValueOrDefault().UtcDateTime));
        }, cancellationToken);

    /// <summary>Writes embeddings.</summary>
    /// <param name="embeddings">The embeddings, some thousand at a time.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task EmbeddingsAsync(IAsyncEnumerable<EmbeddingSlice> embeddings, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(new ParquetSchema(Id, Version, Embedding), embeddings, output, static async (rows, part) =>
        {
            await rows.WriteAsync(Id, part.Ids);
            await rows.WriteAsync<int>(Version, part.Versions);
            (float[] values, int[] levels) = Values(part);
            await rows.WriteAsync<float>(Embedding, values, levels);
        }, cancellationToken);

    // [N x D] in a row, and for each value whether it begins a list (0) or goes on with one (1).
    private static (float[] Values, int[] Levels) Values(EmbeddingSlice part)
    {
        ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(part.Embeddings);
        float[] values = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, values);
        int[] levels = new int[values.Length];
        Array.Fill(levels, 1);
        for (int first = 0; first < levels.Length; first += part.Width)
        {
            levels[first] = 0;
        }

        return (values, levels);
    }

    private static async Task WriteAsync<T>(
        ParquetSchema schema, IAsyncEnumerable<T> parts, Stream output, Func<ParquetRowGroupWriter, T, Task> write, CancellationToken cancellationToken)
    {
        await using var drained = new DrainedStream(output);
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(schema, drained, cancellationToken: cancellationToken))
        {
            await foreach (T part in parts.WithCancellation(cancellationToken))
            {
                using (ParquetRowGroupWriter rows = writer.CreateRowGroup())
                {
                    await write(rows, part);
                }

                await drained.DrainAsync(cancellationToken);
            }
        }

        // What is left is the footer.
        await drained.DrainAsync(cancellationToken);
    }
}
