using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>H cosine softmax heads of K prototypes each, trained side by side; one of them is what users see.</summary>
/// <remarks>p(k | z) = softmax over k of scale * w_k·z, with z and every w L2-normalised.</remarks>
public sealed class ClusterHead : nn.Module
{
    /// <summary>With random prototypes from libtorch's global generator.</summary>
    /// <param name="heads">H.</param>
    /// <param name="clusters">K.</param>
    /// <param name="width">The embedding's width, D.</param>
    /// <param name="scale">The softmax's inverse temperature.</param>
    public ClusterHead(int heads, int clusters, int width, double scale)
        : base("head")
    {
        Weight = new Parameter(randn(heads, clusters, width) / Math.Sqrt(width));
        Scale = scale;
        register_parameter("weight", Weight);
    }

    /// <summary>The prototypes before normalisation, [H, K, D], float32.</summary>
    public Parameter Weight { get; }

    /// <summary>The softmax's inverse temperature.</summary>
    public double Scale { get; }

    /// <summary>Cosines with the prototypes.</summary>
    /// <param name="embeddings">[M, D], float32, L2-normalised.</param>
    /// <returns>[H, M, K], float32.</returns>
    public Tensor Cosines(Tensor embeddings) => LogitsOf(embeddings, Weight, 1);

    /// <summary>Log-probabilities of clusters.</summary>
    /// <param name="embeddings">[M, D], float32, L2-normalised.</param>
    /// <returns>[H, M, K], float32.</returns>
    public Tensor LogProbabilities(Tensor embeddings) => LogProbabilities(embeddings, Weight, Scale);

    /// <summary>Log-probabilities of clusters under given prototypes.</summary>
    /// <param name="embeddings">[M, D], float32, L2-normalised.</param>
    /// <param name="weight">[H, K, D], float32.</param>
    /// <param name="scale">The softmax's inverse temperature.</param>
    /// <returns>[H, M, K], float32.</returns>
    /// <exception cref="ArgumentException">The widths differ.</exception>
    public static Tensor LogProbabilities(Tensor embeddings, Tensor weight, double scale)
    {
        using var scope = NewDisposeScope();
        return log_softmax(LogitsOf(embeddings, weight, scale), 2).MoveToOuterDisposeScope();
    }

    private static Tensor LogitsOf(Tensor embeddings, Tensor weight, double scale)
    {
        if (embeddings.dim() != 2 || embeddings.shape[1] != weight.shape[2])
        {
            throw new ArgumentException(
                $"Embeddings {StepBatch.Text(embeddings)} do not fit prototypes {StepBatch.Text(weight)}: expected [M, {weight.shape[2]}].", nameof(embeddings));
        }

        using var scope = NewDisposeScope();
        var cosines = normalize(weight, 2, dim: 2).matmul(embeddings.t());
        return (cosines.transpose(1, 2) * scale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Weight.Dispose();
        }

        base.Dispose(disposing);
    }
}
