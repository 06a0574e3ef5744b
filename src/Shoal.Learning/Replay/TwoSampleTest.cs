using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Tells whether sets of embeddings come from one distribution, by whose neighbours are whose.</summary>
/// <remarks>Schilling 1986, "Multivariate two-sample tests based on nearest neighbors"; here with cosines, and scaled.</remarks>
public static class TwoSampleTest
{
    private const int Neighbours = 5;

    /// <summary>How far two sets are apart.</summary>
    /// <param name="first">[m, D], float32, L2-normalised.</param>
    /// <param name="second">[n, D], float32, L2-normalised; m + n above 5.</param>
    /// <returns>About 0 when they are alike, 1 when every nearest neighbour is of the sample's own set.</returns>
    public static double Separation(Tensor first, Tensor second)
    {
        var found = Links([first, second]);
        var (m, n) = ((double)first.shape[0], (double)second.shape[0]);
        var own = (found[0, 0] + found[1, 1]) / ((m + n) * Neighbours);
        var expected = ((m * (m - 1)) + (n * (n - 1))) / ((m + n) * (m + n - 1));
        return (own - expected) / (1 - expected);
    }

    /// <summary>The two of several sets that are nearest neighbours of each other most often, for their sizes.</summary>
    /// <param name="sets">Two or more of [n, D], float32, L2-normalised; none empty, more than 5 rows in all.</param>
    /// <returns>Their places, the smaller first.</returns>
    public static (int First, int Second) MostAlike(IReadOnlyList<Tensor> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        var found = Links(sets);
        return Enumerable.Range(0, sets.Count)
            .SelectMany(second => Enumerable.Range(0, second).Select(first => (First: first, Second: second)))
            .MaxBy(pair => (found[pair.First, pair.Second] + found[pair.Second, pair.First]) / (double)(sets[pair.First].shape[0] * sets[pair.Second].shape[0]));
    }

    // [sets, sets]: how many nearest neighbours the samples of one set have in another.
    private static int[,] Links(IReadOnlyList<Tensor> sets)
    {
        using var scope = NewDisposeScope();
        var owners = sets.SelectMany((set, number) => Enumerable.Repeat(number, (int)set.shape[0])).ToArray();
        var neighbours = NeighbourMiner.Mine(cat([.. sets]), Neighbours).ToArray<long>();
        var links = new int[sets.Count, sets.Count];
        for (var i = 0; i < neighbours.Length; i++)
        {
            links[owners[i / Neighbours], owners[neighbours[i]]]++;
        }

        return links;
    }
}
