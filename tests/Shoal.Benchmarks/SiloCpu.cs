using System.Globalization;

namespace Shoal.Benchmarks;

/// <summary>Processor time that a silo's process has used, in seconds.</summary>
/// <param name="Compute">Of the compute thread with libtorch's workers.</param>
/// <param name="Compiling">Of the runtime's thread that compiles code again, better, in the first minutes; whatever it runs, it is done some time.</param>
/// <param name="All">Of the whole process.</param>
internal readonly record struct SiloCpu(double Compute, double Compiling, double All)
{
    // Of the kernel's clock, which /proc counts by.
    private const double TicksASecond = 100;

    // The kernel keeps 15 letters of a thread's name.
    private const string Compiler = ".NET Tiered Com";

    /// <summary>Everything else: grains, messages, storage, the collector.</summary>
    public double Other => All - Compute - Compiling;

    /// <summary>Reads it from /proc.</summary>
    /// <param name="process">The process's id.</param>
    public static SiloCpu Of(int process)
    {
        var (compute, compiling) = (0.0, 0.0);
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            var name = File.ReadAllText(Path.Combine(thread, "comm"));
            if (name.StartsWith("shoal-compute", StringComparison.Ordinal))
            {
                compute += Seconds(Path.Combine(thread, "stat"));
            }
            else if (name.StartsWith(Compiler, StringComparison.Ordinal))
            {
                compiling += Seconds(Path.Combine(thread, "stat"));
            }
        }

        return new SiloCpu(compute, compiling, Seconds($"/proc/{process}/stat"));
    }

    public static SiloCpu operator -(SiloCpu after, SiloCpu before) => new(after.Compute - before.Compute, after.Compiling - before.Compiling, after.All - before.All);

    public static SiloCpu operator +(SiloCpu one, SiloCpu other) => new(one.Compute + other.Compute, one.Compiling + other.Compiling, one.All + other.All);

    // The 14th and 15th field; the second one, a name in brackets, may hold spaces.
    private static double Seconds(string file)
    {
        var text = File.ReadAllText(file);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksASecond;
    }
}
