using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;
using Shoal.Client;

namespace Shoal.Fakes;

/// <summary>One silo in this process whose grains hold everything in memory and fail when told to: what clients are tested against.</summary>
public sealed class FakeSilo : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private FakeSilo(InProcessTestCluster cluster, FakeStore store)
    {
        _cluster = cluster;
        Store = store;
    }

    public FakeStore Store { get; }

    public IClusterClient Client => _cluster.Client;

    /// <summary>Starts one.</summary>
    /// <param name="configure">Adds what a test needs beside; null for nothing.</param>
    public static async Task<FakeSilo> StartAsync(Action<ISiloBuilder>? configure = null)
    {
        var store = new FakeStore();
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(store);
            silo.AddShoalStreams().AddMemoryGrainStorageAsDefault();
            configure?.Invoke(silo);
        });
        builder.ConfigureClient(client => client.AddShoalStreams());
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return new FakeSilo(cluster, store);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
