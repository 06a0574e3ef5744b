using System.Diagnostics;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>What a silo has used.</summary>
/// <param name="Seconds">Time that passed.</param>
/// <param name="Cpu">Seconds of processor time, of all threads.</param>
/// <param name="Compute">Seconds of processor time of the compute thread and libtorch's workers.</param>
/// <param name="Calls">Calls of the store.</param>
internal sealed record SiloUse(double Seconds, double Cpu, double Compute, StoreCounters.StoreCounts Calls)
{
    /// <summary>Processor time beyond what the silo uses when nobody asks anything of it, in microseconds for each of some things.</summary>
    /// <param name="things">How many were done.</param>
    /// <param name="idleCores">Cores that the idle silo uses.</param>
    public double MicrosecondsEach(double things, double idleCores) => Math.Max(0, Cpu - (idleCores * Seconds)) / things * 1e6;
}

/// <summary>Reads what a silo uses.</summary>
/// <param name="silo">The silo.</param>
/// <param name="counters">What it counts.</param>
internal sealed class SiloMeter(SiloProcess silo, StoreCounters counters)
{
    /// <summary>Measures what is used while something is done.</summary>
    /// <param name="work">What is done.</param>
    public async Task<SiloUse> DuringAsync(Func<Task> work)
    {
        SiloCpu before = SiloCpu.Of(silo.Id);
        StoreCounters.StoreCounts calls = counters.Read();
        var begun = Stopwatch.GetTimestamp();
        await work();
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        SiloCpu used = SiloCpu.Of(silo.Id) - before;
        return new SiloUse(seconds, used.All, used.Compute, counters.Read().Since(calls));
    }
}
