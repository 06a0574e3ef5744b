namespace Shoal.Learning;

/// <summary>Whether an item's cluster keeps its id from one version of a model to the next; only for measuring, nothing learns from it.</summary>
public static class IdStability
{
    /// <summary>The share of items whose cluster's id changes between consecutive versions, mean over the pairs of versions.</summary>
    /// <param name="versions">The cluster id of every item under each version, oldest first; the items in the same order everywhere.</param>
    /// <returns>0 to 1; NaN for fewer than two versions.</returns>
    /// <exception cref="ArgumentException">The versions know different numbers of items, or none.</exception>
    public static double Changes(IReadOnlyList<int[]> versions)
    {
        ArgumentNullException.ThrowIfNull(versions);
        if (versions.Any(ids => ids.Length == 0 || ids.Length != versions[0].Length))
        {
            throw new ArgumentException($"Versions of {string.Join(", ", versions.Select(ids => ids.Length))} items must be as long, and not empty.", nameof(versions));
        }

        return versions.Zip(versions.Skip(1), (before, after) => before.Zip(after, (a, b) => a == b ? 0.0 : 1.0).Average())
            .DefaultIfEmpty(double.NaN).Average();
    }
}
