using System.Runtime.CompilerServices;

namespace Shoal.Grains.Tests;

/// <summary>Tests that start silos: two at a time, one of each collection. More would train so slowly on two cores that tests wait in vain.</summary>
internal static class SiloCollections
{
    public const string First = "silo";
    public const string Second = "second silo";

    // Two silos whose libtorch has as many threads as there are cores train several times slower than one after the other.
    [ModuleInitializer]
    internal static void OneThreadEach()
    {
        const string Threads = "OMP_NUM_THREADS";
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Threads)))
        {
            Environment.SetEnvironmentVariable(Threads, "1");
        }
    }
}
