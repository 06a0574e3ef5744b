using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Shoal.Client;

namespace Shoal.Benchmarks;

/// <summary>What published versions say of labelled items, without storing them.</summary>
/// <param name="Clusters">The cluster id of each item; -1 when it has none.</param>
/// <param name="Confidences">The confidence in each.</param>
/// <param name="Labels">The label's number of each item, which nobody but this process knows.</param>
/// <param name="Versions">The version that answered for each; 0 when none was published.</param>
/// <param name="Embeddings">[items, Width], row-major; empty when not asked for.</param>
/// <param name="Width">The embeddings' width.</param>
internal sealed record Classified(int[] Clusters, double[] Confidences, int[] Labels, int[] Versions, float[] Embeddings, int Width)
{
    /// <summary>Classifies items.</summary>
    /// <param name="client">Of the silo.</param>
    /// <param name="data">Knows the labels.</param>
    /// <param name="items">The items.</param>
    /// <param name="withEmbeddings">Whether to return embeddings.</param>
    public static async Task<Classified> OfAsync(ShoalClient client, LabelledData data, IReadOnlyList<SourceItem> items, bool withEmbeddings)
    {
        var (clusters, confidences, versions) = (new int[items.Count], new double[items.Count], new int[items.Count]);
        float[] embeddings = [];
        var (at, width) = (0, 0);
        await foreach (ClassifiedItem answer in client.ClassifyAsync("bench", items.Select(i => i.Upload).ToAsyncEnumerable(), withEmbeddings))
        {
            clusters[at] = (int)(answer.Answer.Cluster ?? -1);
            confidences[at] = answer.Answer.Confidence;
            versions[at] = answer.Answer.ModelVersion;
            if (answer.Answer.Embedding is { } bytes)
            {
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes);
                width = halves.Length;
                embeddings = embeddings.Length == 0 ? new float[items.Count * width] : embeddings;
                TensorPrimitives.ConvertToSingle(halves, embeddings.AsSpan(at * width, width));
            }

            at++;
        }

        return new Classified(clusters, confidences, [.. items.Select(data.LabelOf)], versions, embeddings, width);
    }
}
