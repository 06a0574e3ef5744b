using Shoal.Client.Tests;
using Shoal.Contracts;
using Shoal.Fakes;

[assembly: AssemblyFixture(typeof(SiloFixture))]

namespace Shoal.Client.Tests;

/// <summary>One fake silo for all tests; each makes a dataset of its own.</summary>
public sealed class SiloFixture : IAsyncLifetime
{
    private int _datasets;

    /// <summary>Retries without waiting long, and without chance.</summary>
    public static ShoalClientOptions Quick { get; } = new() { Retries = 3, RetryDelay = TimeSpan.FromMilliseconds(1), Jitter = static () => 0.5 };

    public FakeSilo Silo { get; private set; } = null!;

    public ShoalClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Silo = await FakeSilo.StartAsync();
        Client = new ShoalClient(Silo.Client, Quick);
    }

    public async Task<(string Name, FakeDataset Dataset)> DatasetAsync(int shards = 4, int maxItemBytes = 10_000)
    {
        string name = $"test-{Interlocked.Increment(ref _datasets)}";
        await Client.CreateDatasetAsync(name, new DatasetSettings { Shards = shards, MaxItemBytes = maxItemBytes });
        return (name, Silo.Store.Dataset(name));
    }

    public static ItemUpload Item(string id, params byte[] bytes) => new() { Id = id, MediaType = "image/png", Bytes = bytes };

    public ValueTask DisposeAsync() => Silo.DisposeAsync();
}
