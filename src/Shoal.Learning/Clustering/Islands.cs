using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Unites groups of samples that nothing links, as one word is of several speakers, by how far apart they lie.</summary>
internal static class Islands
{
    // Two that were shown as one count as so much closer. Training draws its labels apart, so that later distances between them say less than earlier ones.
    private const double Kinship = 1.25;

    /// <summary>Joins the two that least is lost by, again and again, until no more are left than asked for.</summary>
    /// <remarks>
    /// What is lost grows with the sizes as in Ward's method (1963), n·m / (n + m) times the distance, so that large groups are joined last; the distance is 1 less the mean cosine of the
    /// islands' means, pair by pair. Two that were one cluster before are as if a fifth less were lost.
    /// </remarks>
    /// <param name="means">The mean direction of each island, [n, D], L2-normalised; zeros for one without samples.</param>
    /// <param name="sizes">How many samples each has, [n].</param>
    /// <param name="most">Most groups; 1 and up.</param>
    /// <param name="before">The cluster that most of each island's samples were in before, -1 for none, [n].</param>
    /// <returns>The group of each island, [n], numbered densely from 0 in the order in which they first appear.</returns>
    public static int[] Unite(ReadOnlySpan<float> means, int[] sizes, int most, int[] before)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var links = new List<(int From, int To, double Weight)>();
        var width = means.Length / Math.Max(1, sizes.Length);
        for (var i = 0; i < sizes.Length; i++)
        {
            for (var j = i + 1; j < sizes.Length; j++)
            {
                // Summed where islands are joined: of groups it is n·m times the mean distance.
                var distance = Math.Max(0, 1 - TensorPrimitives.Dot(means.Slice(i * width, width), means.Slice(j * width, width)));
                links.Add((i, j, (double)sizes[i] * sizes[j] * distance));
            }
        }

        return Communities.Join(
            NeighbourGraph.Make(links, new double[sizes.Length], sizes),
            static (level, node, link) => (level.Sizes[node] + level.Sizes[link.Target]) / link.Weight,
            (left, _) => left > most,
            [.. before],
            fragment: double.PositiveInfinity,
            kinship: Kinship);
    }
}
