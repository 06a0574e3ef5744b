using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage;
using TorchSharp;

namespace Shoal.Benchmarks;

/// <summary>Measures the machine itself on the day of a run, so that figures of different days can be compared.</summary>
internal static class MachineSpeed
{
    private const int Size = 1_024;

    /// <summary>Prints <c>machine.gemm</c> and <c>machine.fsync</c>.</summary>
    public static async Task WriteAsync(FigureWriter figures)
    {
        figures.Write("machine.cores", Environment.ProcessorCount, "cores", null, new Dictionary<string, object?>());
        // On a thread that ends, and libgomp's workers with it.
        var gemm = await Task.Factory.StartNew(Gemm, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        figures.Write("machine.gemm", gemm, "GFLOP/s", null, new Dictionary<string, object?> { ["size"] = Size, ["threads"] = torch.get_num_threads() });
        figures.Write("machine.fsync", await FsyncAsync(), "1/s", null, new Dictionary<string, object?> { ["files"] = 1, ["bytes"] = 1_024 });
    }

    /// <summary>Prints <c>machine.rpc</c>: trivial calls to one grain of a running silo from this process, one at a time.</summary>
    public static async Task WriteRpcAsync(FigureWriter figures, ShoalClient client)
    {
        ICatalogGrain catalog = client.Cluster.GetGrain<ICatalogGrain>(GrainKeys.Catalog);
        var rate = await RateAsync(async () => _ = await catalog.ListAsync(), callers: 1, TimeSpan.FromSeconds(2));
        figures.Write("machine.rpc", rate, "calls/s", null, new Dictionary<string, object?> { ["callers"] = 1 });
    }

    /// <summary>How often an action completes in a second.</summary>
    /// <param name="action">The action.</param>
    /// <param name="callers">How many run it side by side.</param>
    /// <param name="duration">For how long; a fifth of it more is spent warming up.</param>
    public static async Task<double> RateAsync(Func<Task> action, int callers, TimeSpan duration)
    {
        await RunAsync(action, callers, duration / 5);
        var clock = Stopwatch.StartNew();
        var done = await RunAsync(action, callers, duration);
        return done / clock.Elapsed.TotalSeconds;
    }

    private static async Task<long> RunAsync(Func<Task> action, int callers, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            long count = 0;
            while (clock.Elapsed < duration)
            {
                await action();
                count++;
            }

            return count;
        }));
        return counts.Sum();
    }

    private static double Gemm()
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        torch.Tensor a = torch.rand(Size, Size);
        torch.Tensor b = torch.rand(Size, Size);
        List<double> seconds = [];
        for (var i = 0; i < 12; i++)
        {
            var clock = Stopwatch.StartNew();
            using torch.Tensor product = a.mm(b);
            seconds.Add(clock.Elapsed.TotalSeconds);
        }

        return 2.0 * Size * Size * Size / seconds.Order().ElementAt(seconds.Count / 2) / 1e9;
    }

    private static async Task<double> FsyncAsync()
    {
        var folder = Directory.CreateTempSubdirectory("shoal-fsync-");
        try
        {
            var store = new FileObjectStore(folder.FullName);
            var bytes = new byte[1_024];
            long length = 0;
            var clock = Stopwatch.StartNew();
            var count = 0;
            while (clock.Elapsed < TimeSpan.FromSeconds(1))
            {
                length = await store.AppendAsync("log", length, bytes);
                count++;
            }

            return count / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
