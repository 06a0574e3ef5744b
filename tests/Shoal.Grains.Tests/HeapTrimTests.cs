using System.Runtime.InteropServices;
using Microsoft.Extensions.Time.Testing;
using Shoal.Grains.Compute;

namespace Shoal.Grains.Tests;

/// <summary>What it looks at is the whole process's: nothing else may run meanwhile.</summary>
[Collection(Alone)]
public sealed class HeapTrimTests
{
    private const string Alone = "heap";

    private const int Block = 1 << 20;
    private const int Blocks = 384;
    private const long Growth = 256L << 20;

    [Fact]
    public void What_was_freed_between_blocks_that_stay_goes_back_once_the_process_has_grown()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "glibc's heap is looked at");
        NativeTuning.ApplyToProcess();
        var clock = new FakeTimeProvider();

        // What other tests left free would be filled before the process grows.
        var first = new HeapTrim(long.MinValue / 2, clock);
        clock.Advance(HeapTrim.Interval);
        Assert.True(first.Look());

        var trim = new HeapTrim(Growth, clock);
        clock.Advance(HeapTrim.Interval);
        Assert.False(trim.Look(), "nothing has grown yet");

        nint[] kept = Fill();
        try
        {
            var full = Environment.WorkingSet;
            Assert.False(trim.Look(), "it was looked a moment ago");
            Assert.True(Environment.WorkingSet > full - (Growth / 4), "the heap gives back by itself, and this test shows nothing");

            clock.Advance(HeapTrim.Interval);
            Assert.True(trim.Look());
            Assert.True(Environment.WorkingSet < full - Growth, $"{full >> 20} MB became {Environment.WorkingSet >> 20}");

            clock.Advance(HeapTrim.Interval);
            Assert.False(trim.Look(), "it has not grown since");
        }
        finally
        {
            Array.ForEach(kept, Marshal.FreeHGlobal);
        }
    }

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class NothingBeside;

    // Large blocks that were used and freed, each between two small ones that stay.
    private static nint[] Fill()
    {
        var used = new byte[Block];
        Array.Fill(used, (byte)1);
        var large = new nint[Blocks];
        var small = new nint[Blocks];
        for (var i = 0; i < Blocks; i++)
        {
            large[i] = Marshal.AllocHGlobal(Block);
            small[i] = Marshal.AllocHGlobal(1_024);
            Marshal.Copy(used, 0, large[i], Block);
        }

        Array.ForEach(large, Marshal.FreeHGlobal);
        return small;
    }
}
