using System.Globalization;

namespace Shoal.Benchmarks;

/// <summary>Processor time that a silo's process has used, in seconds.</summary>
/// <param name="Compute">Of the compute thread with libtorch's workers.</param>
/// <param name="All">Of the whole process.</param>
internal readonly record struct SiloCpu(double Compute, double All)
{
    // Of the kernel's clock, which /proc counts by.
    private const double TicksASecond = 100;

    /// <summary>Reads it from /proc.</summary>
    /// <param name="process">The process's id.</param>
    public static SiloCpu Of(int process) => new(Threads(process, "shoal-compute").Sum(thread => thread.Seconds), Seconds($"/proc/{process}/stat"));

    /// <summary>The threads of a process that have a name, and the processor time of each.</summary>
    /// <param name="process">The process's id.</param>
    /// <param name="name">What the name begins with; the kernel keeps 15 letters of it.</param>
    public static IEnumerable<(string Thread, double Seconds)> Threads(int process, string name)
    {
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            double? seconds = null;
            try
            {
                seconds = File.ReadAllText(Path.Combine(thread, "comm")).StartsWith(name, StringComparison.Ordinal) ? Seconds(Path.Combine(thread, "stat")) : null;
            }
            catch (IOException)
            {
                // It has ended since it was listed.
            }

            if (seconds is { } used)
            {
                yield return (thread, used);
            }
        }
    }

    public static SiloCpu operator -(SiloCpu after, SiloCpu before) => new(after.Compute - before.Compute, after.All - before.All);

    public static SiloCpu operator +(SiloCpu one, SiloCpu other) => new(one.Compute + other.Compute, one.All + other.All);

    // The 14th and 15th field; the second one, a name in brackets, may hold spaces.
    private static double Seconds(string file)
    {
        var text = File.ReadAllText(file);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksASecond;
    }
}

/// <summary>
/// Adds up the processor time of the runtime's threads that compile code again, better, in the first minutes. Such a thread ends when it has nothing to do, and its time
/// is the process's alone then: so it is read again and again.
/// </summary>
internal sealed class CompilerClock
{
    private readonly Dictionary<string, double> _last = new(StringComparer.Ordinal);
    private bool _begun;

    /// <summary>Seconds since the first reading.</summary>
    public double Seconds { get; private set; }

    /// <summary>Reads them.</summary>
    /// <param name="processes">The ids of the processes.</param>
    public void Read(IEnumerable<int> processes)
    {
        foreach (var (thread, seconds) in processes.SelectMany(process => SiloCpu.Threads(process, ".NET Tiered Com")))
        {
            // The kernel gives a thread's number away again: less than before is another thread's.
            var before = _last.GetValueOrDefault(thread);
            Seconds += !_begun ? 0 : seconds < before ? seconds : seconds - before;
            _last[thread] = seconds;
        }

        _begun = true;
    }
}
