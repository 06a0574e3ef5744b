using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Unites groups of samples that nothing links, as one word is of several speakers, by how far apart they lie.</summary>
internal static class Islands
{
    // Of two unions that are as good, that which was shown before. Training draws its labels apart, so that later distances between them say less than earlier ones.
    private const double Kinship = 0.8;

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
        var count = sizes.Length;
        var width = means.Length / Math.Max(1, count);
        var cosines = new double[count, count];
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < count; j++)
            {
                cosines[i, j] = TensorPrimitives.Dot(means.Slice(i * width, width), means.Slice(j * width, width));
            }
        }

        var groups = Enumerable.Range(0, count).ToArray();
        var (weights, kin) = (Array.ConvertAll(sizes, size => (double)size), before.ToArray());
        for (var left = groups.ToList(); left.Count > most;)
        {
            var (kept, gone) = Closest(left, cosines, weights, kin);
            left.Remove(gone);
            foreach (var other in left.Where(other => other != kept))
            {
                var sum = (weights[kept] * cosines[kept, other]) + (weights[gone] * cosines[gone, other]);
                cosines[kept, other] = cosines[other, kept] = sum / Math.Max(1, weights[kept] + weights[gone]);
            }

            kin[kept] = weights[kept] >= weights[gone] ? kin[kept] : kin[gone];
            weights[kept] += weights[gone];
            groups = Array.ConvertAll(groups, group => group == gone ? kept : group);
        }

        int[] numbers = [.. groups.Distinct()];
        return Array.ConvertAll(groups, group => Array.IndexOf(numbers, group));
    }

    private static (int Kept, int Gone) Closest(List<int> left, double[,] cosines, double[] weights, int[] kin)
    {
        var (kept, gone, least) = (left[0], left[1], double.PositiveInfinity);
        for (var i = 0; i < left.Count; i++)
        {
            for (var j = i + 1; j < left.Count; j++)
            {
                var (one, other) = (left[i], left[j]);
                var lost = (1 - cosines[one, other]) * weights[one] * weights[other] / Math.Max(1, weights[one] + weights[other]);
                lost *= kin[one] >= 0 && kin[one] == kin[other] ? Kinship : 1;
                if (lost < least)
                {
                    (kept, gone, least) = (one, other, lost);
                }
            }
        }

        return (kept, gone);
    }
}
