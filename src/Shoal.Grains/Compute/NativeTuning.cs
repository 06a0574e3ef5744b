using System.Runtime.InteropServices;
using TorchSharp;

namespace Shoal.Grains.Compute;

/// <summary>Sets what must be set on the compute thread before its first libtorch call.</summary>
internal static partial class NativeTuning
{
    // mallopt's parameter numbers, from glibc's malloc.h.
    private const int TrimThreshold = -1;
    private const int MmapThreshold = -3;

    /// <summary>Lowers the thread's priority, keeps freed tensor memory in the process, sets the intra-op threads.</summary>
    /// <param name="options">The settings.</param>
    public static void Apply(ComputeOptions options)
    {
        if (OperatingSystem.IsLinux())
        {
            // On Linux a nice value belongs to a thread, and libgomp's workers inherit their creator's.
            // ThreadPriority.BelowNormal does nothing there.
            _ = SetPriority(0, 0, options.Niceness);

            // glibc gives blocks of 128 KiB and more back to the kernel on free: every tensor then faults its pages
            // in again (1,080 → 2,500 images/s on a pooled ConvNet). 32 MiB is the most that glibc takes here; trimming
            // only above 256 MiB keeps a training step's blocks.
            _ = MallOpt(MmapThreshold, 32 << 20);
            _ = MallOpt(TrimThreshold, 256 << 20);
        }

        torch.set_num_threads(options.IntraOpThreads > 0 ? options.IntraOpThreads : Environment.ProcessorCount);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int niceness);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
