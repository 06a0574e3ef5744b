using System.Globalization;

namespace Shoal.Benchmarks;

/// <summary>Reads from /proc what processor time a silo's process has used.</summary>
internal static class SiloCpu
{
    // Of the kernel's clock, which /proc counts by.
    private const double TicksASecond = 100;

    /// <summary>Processor time of the compute thread with libtorch's workers, and of the whole process.</summary>
    /// <param name="process">The process's id.</param>
    public static (TimeSpan Compute, TimeSpan All) Of(int process)
    {
        var compute = 0.0;
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            if (File.ReadAllText(Path.Combine(thread, "comm")).StartsWith("shoal-compute", StringComparison.Ordinal))
            {
                compute += Ticks(Path.Combine(thread, "stat"));
            }
        }

        return (TimeSpan.FromSeconds(compute / TicksASecond), TimeSpan.FromSeconds(Ticks($"/proc/{process}/stat") / TicksASecond));
    }

    // The 14th and 15th field; the second one, a name in brackets, may hold spaces.
    private static double Ticks(string file)
    {
        var text = File.ReadAllText(file);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
