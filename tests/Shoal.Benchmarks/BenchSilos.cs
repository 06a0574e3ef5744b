using Shoal.Client;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>The silos that a measurement runs against: one with all cores, or several of a cluster with one core each.</summary>
internal sealed class BenchSilos : IAsyncDisposable
{
    private readonly IAsyncDisposable[] _parts;
    private readonly Func<Task<ShoalClient>> _connect;

    private BenchSilos(Func<Task<ShoalClient>> connect, params IAsyncDisposable[] parts) => (_connect, _parts) = (connect, parts);

    /// <summary>Starts them.</summary>
    /// <param name="folder">Where their folders are.</param>
    /// <param name="silos">How many.</param>
    public static async Task<BenchSilos> StartAsync(string folder, int silos)
    {
        if (silos == 1)
        {
            SiloProcess silo = await SiloProcess.StartAsync(folder, "--log", "Warning");
            return new BenchSilos(silo.ConnectAsync, silo);
        }

        RedisProcess redis = await RedisProcess.StartAsync();
        var cluster = new SiloCluster(folder, "--redis", redis.ConnectionString, "--log", "Warning");
        var started = new BenchSilos(() => cluster.ConnectAsync(), cluster, redis);
        try
        {
            for (var core = 0; core < silos; core++)
            {
                await cluster.AddAsync(core % Environment.ProcessorCount);
            }

            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects a client.</summary>
    public Task<ShoalClient> ConnectAsync() => _connect();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable part in _parts)
        {
            await part.DisposeAsync();
        }
    }
}
