using System.Diagnostics;
using System.Globalization;
using Shoal.Contracts;
using Shoal.Grains.Shards;
using Shoal.Storage;

namespace Shoal.Benchmarks;

/// <summary>How long it takes to open a shard with many items, and what of memory it takes that is no file's.</summary>
internal static class ActivationSuite
{
    /// <summary>The log's name.</summary>
    public const string Log = "datasets/activation/shards/0000/log";

    /// <summary>Bytes of an item.</summary>
    public const int ItemBytes = 64;

    /// <summary>Halves of an embedding.</summary>
    public const int Width = 64;

    private const int Batch = 2_048;

    /// <summary>Runs it.</summary>
    /// <param name="items">Items in the shard.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int items, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        var folder = Directory.CreateTempSubdirectory("shoal-activation-");
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["items"] = items, ["itemBytes"] = ItemBytes };
        try
        {
            var sidecars = Path.Combine(folder.FullName, "sidecars");
            using var store = new FileObjectStore(Path.Combine(folder.FullName, "store"));
            FigureWriter.Tell($"writing {items:N0} items");
            await FillAsync(store, sidecars, items);
            figures.Write("activation.log_mb", (await store.StatAsync($"{Log}/00000001.seg"))!.Length / 1e6, "MB", null, settings);
            await OpenAsync(store, sidecars, "activation", items, settings, figures);

            // The log alone: everything else is made anew.
            Directory.Delete(sidecars, recursive: true);
            await OpenAsync(store, sidecars, "activation.rebuild", items, settings, figures);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task OpenAsync(FileObjectStore store, string sidecars, string name, int items, Dictionary<string, object?> settings, FigureWriter figures)
    {
        var before = PrivateBytes();
        var clock = Stopwatch.StartNew();
        await using ShardStore shard = await ShardStore.OpenAsync(store, Log, sidecars, copies: null, TimeProvider.System, CancellationToken.None);
        figures.Write(name + ".seconds", clock.Elapsed.TotalSeconds, "s", null, settings);
        figures.Write(name + ".bytes_per_item", (double)(PrivateBytes() - before) / items, "bytes", null, settings);
        if (shard.Live != items || !shard.TryFind(SyntheticItems.Id(items - 1), out var last) || last != items - 1)
        {
            throw new ShoalException(ShoalErrorKind.Damaged, $"{items} items were written, {shard.Live} are there.");
        }
    }

    /// <summary>Writes a shard of items that are assigned.</summary>
    /// <param name="store">Where its log goes.</param>
    /// <param name="sidecars">The folder of its sidecars.</param>
    /// <param name="items">How many items.</param>
    public static async Task FillAsync(FileObjectStore store, string sidecars, int items)
    {
        await using ShardStore shard = await ShardStore.OpenAsync(store, Log, sidecars, copies: null, TimeProvider.System, CancellationToken.None);
        shard.Table.UseWidth(Width);
        var embeddings = new Half[Batch * Width];
        for (var first = 0; first < items; first += Batch)
        {
            ItemUpload[] batch = [.. SyntheticItems.Images(Math.Min(Batch, items - first), ItemBytes, first)];
            await shard.AppendAsync(batch, static _ => null);
            shard.Table.WriteEmbeddings(first, embeddings.AsSpan(0, batch.Length * Width));
            for (var i = 0; i < batch.Length; i++)
            {
                shard.Ledger.Write(first + i, Assignments.Assigned((i % 10) + 1, 0.9f, 1, 1, DateTimeOffset.UnixEpoch));
            }
        }
    }

    // Resident memory that no file stands behind, after a full collection.
    private static long PrivateBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1_024;
    }
}
