using System.Diagnostics;
using Shoal.Grains.Shards;
using Shoal.Storage;

namespace Shoal.Benchmarks;

/// <summary>What an item takes of memory and of the local disk, and what it costs to open a shard again, in this process.</summary>
internal static class ItemCosts
{
    private const int Items = 400_000;

    /// <summary>Prints <c>scale.item_memory_bytes</c>, <c>scale.item_disk_bytes</c>, <c>scale.open_cpu_us</c> and <c>scale.rebuild_cpu_us</c>.</summary>
    /// <param name="folder">A folder to work in.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task WriteAsync(string folder, FigureWriter figures)
    {
        var sidecars = Path.Combine(folder, "items-sidecars");
        var logs = Path.Combine(folder, "items-store");
        // Live objects, not resident memory: what was freed while the shard was written is used again.
        var empty = GC.GetTotalMemory(forceFullCollection: true);
        using (var store = new FileObjectStore(logs))
        {
            await ActivationSuite.FillAsync(store, sidecars, Items);
        }

        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["items"] = Items, ["itemBytes"] = ActivationSuite.ItemBytes, ["width"] = ActivationSuite.Width };
        void Write(string name, double value, string unit) => figures.Write("scale." + name, value, unit, null, settings);

        Write("item_disk_bytes", (double)Directory.EnumerateFiles(sidecars).Where(IsOfItems).Sum(file => new FileInfo(file).Length) / Items, "bytes/item");
        (var opened, var open) = await OpenAsync(logs, sidecars);
        Directory.Delete(sidecars, recursive: true);
        (var rebuilt, var rebuild) = await OpenAsync(logs, sidecars);
        // A thread may hold on to the shard before, which it worked for last.
        Write("item_memory_bytes", (double)(Math.Min(opened, rebuilt) - empty) / Items, "bytes/item");
        Write("open_cpu_us", open, "us/item");
        Write("rebuild_cpu_us", rebuild, "us/item");
    }

    // The ring of changes has its size whatever the number of items.
    private static bool IsOfItems(string file) => !file.EndsWith(".ring", StringComparison.Ordinal);

    private static async Task<(long Bytes, double Microseconds)> OpenAsync(string logs, string sidecars)
    {
        using var self = Process.GetCurrentProcess();
        TimeSpan cpu = self.TotalProcessorTime;
        using var store = new FileObjectStore(logs);
        await using ShardStore shard = await ShardStore.OpenAsync(store, ActivationSuite.Log, sidecars, copies: null, TimeProvider.System, CancellationToken.None);
        self.Refresh();
        var used = self.TotalProcessorTime - cpu;
        return (GC.GetTotalMemory(forceFullCollection: true), used.TotalMicroseconds / Items);
    }
}
