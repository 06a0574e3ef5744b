namespace Shoal.Learning;

/// <summary>Compares confidences with how often they are right; only for measuring, nothing learns from it.</summary>
public static class Calibration
{
    private const int Bins = 15;

    /// <summary>The expected calibration error (Guo et al. 2017): the distance of mean confidence and share that is right in 15 bins of equal width, weighted by items.</summary>
    /// <remarks>An item is right when its class is the most frequent one of its cluster.</remarks>
    /// <param name="confidences">0 to 1, one an item.</param>
    /// <param name="clusters">The cluster of each item.</param>
    /// <param name="classes">The class of each item.</param>
    /// <returns>0 to 1; 0 is perfect.</returns>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static double Error(IReadOnlyList<double> confidences, IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        ArgumentNullException.ThrowIfNull(confidences);
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(classes);
        if (confidences.Count == 0 || confidences.Count != clusters.Count || confidences.Count != classes.Count)
        {
            throw new ArgumentException($"{confidences.Count} confidences, {clusters.Count} clusters and {classes.Count} classes must be as many, and not none.", nameof(confidences));
        }

        var names = clusters.Zip(classes).GroupBy(item => item.First, item => item.Second)
            .ToDictionary(cluster => cluster.Key, cluster => cluster.CountBy(label => label).MaxBy(label => label.Value).Key);
        return Enumerable.Range(0, confidences.Count)
            .Select(i => (Confidence: confidences[i], Right: names[clusters[i]] == classes[i] ? 1.0 : 0.0))
            .GroupBy(item => Math.Min(Bins - 1, (int)(item.Confidence * Bins)))
            .Sum(bin => Math.Abs(bin.Sum(item => item.Confidence - item.Right))) / confidences.Count;
    }
}
