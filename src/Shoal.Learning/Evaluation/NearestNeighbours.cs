using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Weighted-vote kNN on embeddings: how good features are, whatever the clusters.</summary>
/// <remarks>Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", section 3.4: a neighbour votes with exp(cosine / τ).</remarks>
public static class NearestNeighbours
{
    private const double Temperature = 0.07;

    /// <summary>Predicts classes.</summary>
    /// <param name="known">[n, D], row-major, L2-normalised.</param>
    /// <param name="classes">The class of each known row, 0 and up, [n].</param>
    /// <param name="queries">[m, D], row-major, L2-normalised.</param>
    /// <param name="width">D.</param>
    /// <param name="k">How many neighbours vote.</param>
    /// <returns>The class of each query, [m]; of equal votes the lower class wins.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static int[] Predict(float[] known, int[] classes, float[] queries, int width, int k = 20)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(classes);
        ArgumentNullException.ThrowIfNull(queries);
        if (classes.Length == 0 || known.Length != classes.Length * width || queries.Length % width != 0)
        {
            throw new ArgumentException($"{known.Length} and {queries.Length} numbers are no rows of {width} for {classes.Length} classes.", nameof(known));
        }

        var predicted = new int[queries.Length / width];
        var kinds = classes.Max() + 1;
        Parallel.For(0, predicted.Length, i =>
            predicted[i] = Vote(known, classes, queries.AsSpan(i * width, width), Math.Min(k, classes.Length), kinds));
        return predicted;
    }

    private static int Vote(float[] known, int[] classes, ReadOnlySpan<float> query, int k, int kinds)
    {
        var nearest = new PriorityQueue<int, float>(k + 1);
        for (var row = 0; row < classes.Length; row++)
        {
            var cosine = TensorPrimitives.Dot(query, known.AsSpan(row * query.Length, query.Length));
            if (nearest.Count < k)
            {
                nearest.Enqueue(row, cosine);
            }
            else if (nearest.TryPeek(out _, out var least) && cosine > least)
            {
                nearest.DequeueEnqueue(row, cosine);
            }
        }

        var votes = new double[kinds];
        while (nearest.TryDequeue(out var row, out var cosine))
        {
            votes[classes[row]] += Math.Exp(cosine / Temperature);
        }

        return TensorPrimitives.IndexOfMax<double>(votes);
    }
}
