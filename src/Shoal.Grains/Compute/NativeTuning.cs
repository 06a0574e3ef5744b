using System.Runtime.InteropServices;
using TorchSharp;

namespace Shoal.Grains.Compute;

/// <summary>Sets what must be set before the first libtorch call: of the process, then of the compute thread.</summary>
public static partial class NativeTuning
{
    // mallopt's parameter numbers, from glibc's malloc.h.
    private const int TrimThreshold = -1;
    private const int MmapThreshold = -3;
    private const int ArenaMax = -8;

    /// <summary>Keeps freed tensor memory in the process. Before the compute thread starts: a thread keeps the arena it began with.</summary>
    /// <remarks>
    /// A training step allocates blocks of up to 13 MB. glibc maps those anew each time, and an arena of a thread gives
    /// its heaps back when they empty: 21,000 page faults a second, and 3 training steps a second instead of 7
    /// (28x28, two cores). One arena that maps and trims nothing below 1 GiB has none of them.
    /// </remarks>
    public static void ApplyToProcess()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = MallOpt(ArenaMax, 1);
            _ = MallOpt(MmapThreshold, 1 << 30);
            _ = MallOpt(TrimThreshold, 1 << 30);
        }
    }

    /// <summary>Lowers the thread's priority and sets the intra-op threads.</summary>
    /// <param name="options">The settings.</param>
    public static void ApplyToThread(ComputeOptions options)
    {
        if (OperatingSystem.IsLinux())
        {
            // On Linux a nice value belongs to a thread, and libgomp's workers inherit their creator's.
            // ThreadPriority.BelowNormal does nothing there.
            _ = SetPriority(0, 0, options.Niceness);
        }

        // libtorch itself reads the variable, and counts cores without their second threads where there is none.
        if (options.IntraOpThreads > 0 || string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_NUM_THREADS")))
        {
            torch.set_num_threads(options.IntraOpThreads > 0 ? options.IntraOpThreads : Environment.ProcessorCount);
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int niceness);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
