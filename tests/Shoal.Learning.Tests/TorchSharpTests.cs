using System.Diagnostics;
using System.Reflection;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What the build does to TorchSharp; docs/decisions/0004-torchsharp-unoptimised.md says why.</summary>
public sealed class TorchSharpTests
{
    [Fact]
    public void TorchSharp_is_used_unoptimised()
        => Assert.True(
            typeof(TorchSharp.torch).Assembly.GetCustomAttribute<DebuggableAttribute>()!.IsJITOptimizerDisabled,
            "TorchSharp.dll in the output folder is the package's own: a collection during a call may free what libtorch still reads");

    [Fact]
    public async Task Collections_during_calls_free_nothing_that_libtorch_still_reads()
    {
        // The package's own assembly throws about once in 7,000 of these collections: whether it is in use the test above tells for sure, this one that the other is fit for it.
        using var stop = new CancellationTokenSource();
        var collections = 0;
        var collector = Task.Run(() =>
        {
            for (; !stop.IsCancellationRequested; collections++)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        using var ones = TorchSharp.torch.ones(20_000);
        while (Volatile.Read(ref collections) < 2_000)
        {
            using var scope = NewDisposeScope();
            var sum = (ones + 1.5) + ones;
            Assert.Equal(3.5f, sum[19_999].item<float>());
        }

        await stop.CancelAsync();
        await collector;
    }
}
