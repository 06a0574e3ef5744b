using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>What an island was shown as.</summary>
/// <param name="Cluster">The cluster that most of its samples were in; -1 for none.</param>
/// <param name="Settled">For how long, 0 to 1.</param>
internal readonly record struct IslandPast(int Cluster, double Settled);

/// <summary>Unites groups of samples that nothing links, as one word is of several speakers, by how far apart they lie.</summary>
internal static class Islands
{
    // Two that were shown as one count as so much closer, and those that have long been one as closer still. Training draws its labels apart, so that later distances between
    // them say less than earlier ones; but before anything is learned what is shown changes from mining to mining, and that must not be kept.
    private const double Kinship = 1.25;
    private const double LongKinship = 2.25;

    // Minings after which an island has long been shown as it is.
    private const double Long = 10;

    /// <summary>What each island was shown as.</summary>
    /// <param name="islands">The island of each sample, [N].</param>
    /// <param name="sizes">How many samples each island has, above 0, [n].</param>
    /// <param name="shown">What each sample was shown as, -1 for nothing, [N].</param>
    /// <param name="settledFor">At how many minings in a row it was.</param>
    public static IslandPast[] PastOf(int[] islands, int[] sizes, int[] shown, Func<int, int> settledFor)
    {
        ArgumentNullException.ThrowIfNull(islands);
        ArgumentNullException.ThrowIfNull(sizes);
        ArgumentNullException.ThrowIfNull(shown);
        ArgumentNullException.ThrowIfNull(settledFor);
        var clusters = Communities.Majority(islands, shown, sizes.Length);
        var settled = new double[sizes.Length];
        foreach (var (sample, island) in islands.Index())
        {
            settled[island] += shown[sample] == clusters[island] ? Math.Min(1, settledFor(sample) / Long) / sizes[island] : 0;
        }

        return [.. clusters.Select((cluster, island) => new IslandPast(cluster, settled[island]))];
    }

    /// <summary>Joins the two that least is lost by, again and again, until no more are left than asked for.</summary>
    /// <remarks>
    /// What is lost grows with the sizes as in Ward's method (1963), n·m / (n + m) times the distance, so that large groups are joined last; the distance is 1 less the mean cosine of the
    /// islands' means, pair by pair. Of a pair that was one cluster before it is a fifth less, and up to five ninths less the longer both were of it.
    /// </remarks>
    /// <param name="means">The mean direction of each island, [n, D], L2-normalised; zeros for one without samples.</param>
    /// <param name="sizes">How many samples each has, [n].</param>
    /// <param name="most">Most groups; 1 and up.</param>
    /// <param name="past">What each was shown as, [n].</param>
    /// <returns>The group of each island, [n], numbered densely from 0 in the order in which they first appear.</returns>
    public static int[] Unite(ReadOnlySpan<float> means, int[] sizes, int most, IslandPast[] past)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        ArgumentNullException.ThrowIfNull(past);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var links = new List<(int From, int To, double Weight)>();
        var width = means.Length / Math.Max(1, sizes.Length);
        for (var i = 0; i < sizes.Length; i++)
        {
            for (var j = i + 1; j < sizes.Length; j++)
            {
                // Summed where islands are joined: of groups it is n·m times the mean distance.
                var distance = Math.Max(0, 1 - TensorPrimitives.Dot(means.Slice(i * width, width), means.Slice(j * width, width)));
                links.Add((i, j, (double)sizes[i] * sizes[j] * distance / Nearness(past[i], past[j])));
            }
        }

        return Communities.Join(
            NeighbourGraph.Make(links, new double[sizes.Length], sizes),
            static (level, node, link) => (level.Sizes[node] + level.Sizes[link.Target]) / link.Weight,
            (left, _) => left > most);
    }

    private static double Nearness(IslandPast one, IslandPast other)
        => one.Cluster >= 0 && one.Cluster == other.Cluster ? Kinship + ((LongKinship - Kinship) * Math.Min(one.Settled, other.Settled)) : 1;
}
