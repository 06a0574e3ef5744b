namespace Shoal.Learning;

/// <summary>How much of what a stream's model once recognised it recognises no more; only for measuring, nothing learns from it.</summary>
/// <remarks>
/// Chaudhry et al. 2018, "Riemannian Walk for Incremental Learning: Understanding Forgetting and Intransigence": the
/// best accuracy that a task ever had, minus the one that it has at the end, and the mean over tasks. A class stands for
/// a task here, and the end counts as one of the points: a class that is at its best at the end has 0, not less, so that
/// what one class gained does not hide what another lost.
/// </remarks>
public static class Forgetting
{
    /// <summary>Computes each class's forgetting.</summary>
    /// <param name="recalls">The recall of every class at each point of the curve, the end last; NaN while a class had not appeared.</param>
    /// <returns>One a class, 0 to 1; NaN for a class without a recall at the end.</returns>
    /// <exception cref="ArgumentException">There is no point, or the points know different numbers of classes.</exception>
    public static double[] OfClasses(IReadOnlyList<double[]> recalls)
    {
        ArgumentNullException.ThrowIfNull(recalls);
        if (recalls.Count == 0 || recalls.Any(point => point.Length != recalls[0].Length))
        {
            throw new ArgumentException($"Points of {string.Join(", ", recalls.Select(point => point.Length))} classes must be as long, and there must be one.", nameof(recalls));
        }

        return [.. recalls[^1].Select((end, kind) => recalls.Select(point => point[kind]).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Max() - end)];
    }

    /// <summary>The mean over all classes that have a recall at the end.</summary>
    /// <param name="recalls">As <see cref="OfClasses"/> takes them.</param>
    /// <returns>0 to 1; NaN when no class has a recall at the end.</returns>
    /// <exception cref="ArgumentException">There is no point, or the points know different numbers of classes.</exception>
    public static double Mean(IReadOnlyList<double[]> recalls) => OfClasses(recalls).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}
