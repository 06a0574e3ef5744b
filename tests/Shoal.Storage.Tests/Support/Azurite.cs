using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Shoal.TestKit;

[assembly: AssemblyFixture(typeof(Shoal.Storage.Tests.Azurite))]

namespace Shoal.Storage.Tests;

/// <summary>One emulator for all tests of an assembly; started by the first that needs it.</summary>
public sealed class Azurite : IAsyncLifetime
{
    private readonly AzuriteProcess _process = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Makes a container of its own.</summary>
    /// <param name="policy">Sees every try of every request, the client library's own retries included.</param>
    public async Task<BlobContainerClient> ContainerAsync(HttpPipelinePolicy? policy = null)
    {
        // Few and quick retries: where a test breaks the connection on purpose it waits for them all.
        BlobClientOptions options = new() { Retry = { MaxRetries = 2, Mode = RetryMode.Fixed, Delay = TimeSpan.FromMilliseconds(10) } };
        if (policy is not null)
        {
            options.AddPolicy(policy, HttpPipelinePosition.PerRetry);
        }

        BlobServiceClient service = new(
            await _process.AddressAsync(), new Azure.Storage.StorageSharedKeyCredential(AzuriteProcess.Account, AzuriteProcess.Key), options);
        BlobContainerClient container = service.GetBlobContainerClient("test-" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync();
        return container;
    }

    /// <summary>What another process connects by.</summary>
    public Task<string> ConnectionStringAsync() => _process.ConnectionStringAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
