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
        using var store = new FileObjectStore(Path.Combine(folder, "items-store"));
        await ActivationSuite.FillAsync(store, sidecars, Items);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["items"] = Items, ["itemBytes"] = ActivationSuite.ItemBytes, ["width"] = ActivationSuite.Width };
        void Write(string name, double value, string unit) => figures.Write("scale." + name, value, unit, null, settings);

        Write("item_disk_bytes", (double)Directory.EnumerateFiles(sidecars).Where(IsOfItems).Sum(file => new FileInfo(file).Length) / Items, "bytes/item");
        (var memory, var open) = await OpenAsync(store, sidecars);
        Write("item_memory_bytes", memory, "bytes/item");
        Write("open_cpu_us", open, "us/item");
        Directory.Delete(sidecars, recursive: true);
        (_, var rebuild) = await OpenAsync(store, sidecars);
        Write("rebuild_cpu_us", rebuild, "us/item");
    }

    // The ring of changes has its size whatever the number of items.
    private static bool IsOfItems(string file) => !file.EndsWith(".ring", StringComparison.Ordinal);

    private static async Task<(double Bytes, double Microseconds)> OpenAsync(FileObjectStore store, string sidecars)
    {
        var before = ActivationSuite.PrivateBytes();
        using var self = Process.GetCurrentProcess();
        TimeSpan cpu = self.TotalProcessorTime;
        await using ShardStore shard = await ShardStore.OpenAsync(store, ActivationSuite.Log, sidecars, TimeProvider.System, CancellationToken.None);
        self.Refresh();
        var used = self.TotalProcessorTime - cpu;
        return ((double)Math.Max(0, ActivationSuite.PrivateBytes() - before) / Items, used.TotalMicroseconds / Items);
    }
}
