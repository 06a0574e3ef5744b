using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Tells whether two sets of embeddings come from one distribution, by whose neighbours are whose.</summary>
/// <remarks>Schilling 1986, "Multivariate two-sample tests based on nearest neighbors"; here with cosines, and scaled.</remarks>
public static class TwoSampleTest
{
    private const int Neighbours = 5;

    /// <summary>How far the two sets are apart.</summary>
    /// <param name="first">[m, D], float32, L2-normalised.</param>
    /// <param name="second">[n, D], float32, L2-normalised; m + n above 5.</param>
    /// <returns>About 0 when they are alike, 1 when every nearest neighbour is of the sample's own set.</returns>
    public static double Separation(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (m, n) = ((double)first.shape[0], (double)second.shape[0]);
        var own = cat([zeros(first.shape[0], ScalarType.Int64), ones(second.shape[0], ScalarType.Int64)]).to(first.device);
        var neighbours = NeighbourMiner.Mine(cat([first, second]), Neighbours);
        var same = own.index_select(0, neighbours.flatten()).view(-1, Neighbours).eq(own.unsqueeze(1)).to_type(ScalarType.Float32).mean().item<float>();
        var expected = ((m * (m - 1)) + (n * (n - 1))) / ((m + n) * (m + n - 1));
        return (same - expected) / (1 - expected);
    }
}
