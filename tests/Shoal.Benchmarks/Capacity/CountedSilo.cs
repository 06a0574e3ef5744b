using Microsoft.Extensions.DependencyInjection;
using Shoal.Grains.Hosting;
using Shoal.Silo;
using Shoal.Storage;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>A silo in a process of its own that counts what it asks of its store: this very program, told to be one.</summary>
internal static class CountedSilo
{
    /// <summary>The first argument that makes this program a silo; the counters' file and a silo's arguments follow.</summary>
    public const string Word = "counted-silo";

    /// <summary>Runs as the silo until it is stopped.</summary>
    /// <param name="counters">The counters' file.</param>
    /// <param name="args">A silo's arguments.</param>
    public static async Task<int> RunAsync(string counters, string[] args)
    {
        using var counts = new StoreCounters(counters);
        return await SiloProgram.RunAsync(args, services => services.AddSingleton<IObjectStore>(provider => new CountingStore(Open(provider.GetRequiredService<ShoalSiloOptions>()), counts)));
    }

    /// <summary>Starts one. libtorch has one thread: workers that wait for each other use processor time for nothing, the more the busier the machine is.</summary>
    /// <param name="folder">Its data folder.</param>
    /// <param name="counters">The counters' file; without spaces.</param>
    public static Task<SiloProcess> StartAsync(string folder, string counters) =>
        SiloProcess.StartAsync($"{typeof(CountedSilo).Assembly.GetName().Name} {Word} {counters}", folder, endAt: null, ["--log", "Warning", "--threads", "1"]);

    private static FileObjectStore Open(ShoalSiloOptions options) => new(options.StoreDirectory, new FileObjectStoreOptions { HeadroomBytes = options.DiskHeadroomMiB << 20 });
}
