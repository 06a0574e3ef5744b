namespace Shoal.TestKit;

/// <summary>Percentiles by nearest rank: always a value that was measured.</summary>
public static class Percentiles
{
    /// <summary>The smallest value that so large a share of all values does not exceed.</summary>
    /// <param name="values">The values, in any order.</param>
    /// <param name="share">The share, above 0 and up to 1.</param>
    /// <exception cref="ArgumentException">There are no values.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is not above 0 and up to 1.</exception>
    public static double Of(IReadOnlyCollection<double> values, double share)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        if (values.Count == 0)
        {
            throw new ArgumentException("There are no values.", nameof(values));
        }

        // A share of the count that should be whole may lie a rounding error above it.
        return values.Order().ElementAt((int)Math.Ceiling((share * values.Count) - 1e-9) - 1);
    }

    /// <summary>The median: the middle value, or the mean of the two middle ones.</summary>
    /// <param name="values">The values, in any order.</param>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static double Median(IReadOnlyCollection<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0)
        {
            throw new ArgumentException("There are no values.", nameof(values));
        }

        double[] ordered = [.. values.Order()];
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }

    /// <summary>How long each frame took, from the moments at which frames began.</summary>
    /// <param name="moments">The moments, rising.</param>
    /// <returns>One value fewer.</returns>
    public static double[] Between(IReadOnlyList<double> moments)
    {
        ArgumentNullException.ThrowIfNull(moments);
        return [.. moments.Skip(1).Zip(moments, (after, before) => after - before)];
    }
}
