namespace Shoal.Demo;

/// <summary>How much of the machine's memory the process has while it runs.</summary>
internal sealed class ResidentMemory
{
    private readonly List<double> _bytes = [];

    /// <summary>What it has now, in MB.</summary>
    public static double Now => Environment.WorkingSet / 1e6;

    /// <summary>Takes another sample; they should be evenly spaced.</summary>
    public void Look() => _bytes.Add(Environment.WorkingSet);

    /// <summary>How much the line fitted to the later half of the samples rises over their span, in MB: collections make them a saw.</summary>
    public double Growth()
    {
        double[] resident = [.. _bytes[(_bytes.Count / 2)..]];
        var middle = (resident.Length - 1) / 2.0;
        var mean = resident.DefaultIfEmpty().Average();
        var covariance = resident.Select((value, i) => (i - middle) * (value - mean)).Sum();
        var variance = resident.Select((_, i) => (i - middle) * (i - middle)).Sum();
        return variance > 0 ? covariance / variance * (resident.Length - 1) / 1e6 : 0;
    }

    /// <summary>What a demo says of it at its end.</summary>
    /// <param name="seconds">How long the demo took.</param>
    public string Sentence(double seconds) => $"{seconds:F0} s, {Now:F0} MB resident at the end, {Growth():+0;-0;0} MB over the last half";
}
