using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Items;
using Shoal.Grains.Training;
using Shoal.Storage;

namespace Shoal.Grains.Hosting;

/// <summary>Adds Shoal's grains to a silo.</summary>
public static class SiloBuilderExtensions
{
    /// <summary>Adds the store, the compute thread, streams, placement, and the start of all datasets.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="options">Its settings.</param>
    /// <exception cref="ArgumentException">A setting is out of range; the message lists every one.</exception>
    public static ISiloBuilder AddShoal(this ISiloBuilder silo, ShoalSiloOptions options)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(options);
        silo.Services.AddSingleton(options.Compute);
        silo.Services.TryAddSingleton(OpenStore);
        silo.Services.AddSingleton<ComputeThread>();
        silo.Services.AddSingleton<ModelCache>();
        silo.Services.AddSingleton<EmbeddingService>();
        silo.Services.AddSingleton<SettingsCache>();
        silo.Services.AddPlacementDirector<SeatPlacementStrategy, SeatPlacementDirector>();
        silo.Services.AddHostedService<DatasetStarter>();
        silo.AddIncomingGrainCallFilter<StorageFailureFilter>();
        silo.AddMemoryGrainStorage("PubSubStore");
        silo.AddMemoryStreams(StreamNames.Provider, streams =>
        {
            // Subscriptions are implicit; no pub-sub state is kept.
            streams.ConfigureStreamPubSub(Orleans.Streams.StreamPubSubType.ImplicitOnly);
            // 30 ms from producer to consumer instead of 55 ms at the default of 100 ms. Each of eight queues has a timer:
            // at 10 ms they keep an idle silo busy. (Fewer queues: every producer would have to be told, or
            // what it puts into the others is never read.)
            streams.ConfigurePullingAgent(agent => agent.Configure(o =>
            {
                o.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(50);
                o.BatchContainerBatchSize = 128;
            }));
        });
        return silo;
    }

    private static IObjectStore OpenStore(IServiceProvider services)
    {
        IObjectStore store = OpenStore(services.GetRequiredService<ShoalSiloOptions>());
        return Environment.GetEnvironmentVariable(KillPoint.Variable) is { Length: > 0 } point ? new KillingObjectStore(store, KillPoint.Parse(point)) : store;
    }

    private static IObjectStore OpenStore(ShoalSiloOptions options) =>
        options.BlobConnectionString is { } connection ? OpenContainer(connection, options.BlobContainer) : new FileObjectStore(options.StoreDirectory, new FileObjectStoreOptions { HeadroomBytes = options.DiskHeadroomMiB << 20 });

    /// <summary>Opens a blob container, made when it is missing.</summary>
    /// <param name="connection">The storage account's connection string.</param>
    /// <param name="name">The container's name.</param>
    internal static IObjectStore OpenContainer(string connection, string name)
    {
        // A store that does not answer must be known to be away before the caller's own time is up.
        var container = new BlobContainerClient(connection, name, new BlobClientOptions
        {
            Retry = { MaxRetries = 1, Delay = TimeSpan.FromMilliseconds(300), MaxDelay = TimeSpan.FromSeconds(2), NetworkTimeout = TimeSpan.FromSeconds(5) },
        });
        container.CreateIfNotExists();
        return new AzureBlobObjectStore(container);
    }
}

/// <summary>Opens every dataset's shards and begins training once the silo is up.</summary>
/// <param name="grains">The cluster.</param>
/// <param name="lifetime">When the silo stops.</param>
/// <param name="logger">Where failures go.</param>
internal sealed partial class DatasetStarter(IGrainFactory grains, IHostApplicationLifetime lifetime, ILogger<DatasetStarter> logger) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => _ = StartAllAsync());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task StartAllAsync()
    {
        try
        {
            foreach (var dataset in await grains.GetGrain<ICatalogGrain>(GrainKeys.Catalog).ListAsync())
            {
                await grains.GetGrain<IDatasetGrain>(dataset).StartAsync();
                LogStarted(dataset);
            }
        }
        catch (Exception e) when (e is ShoalException or StorageException or TimeoutException or OrleansException)
        {
            // A dataset that could not be opened is opened by the first call for it.
            LogFailed(e);
        }
    }

    [LoggerMessage(EventId = 700, Level = LogLevel.Information, Message = "Dataset {Dataset} is open")]
    private partial void LogStarted(string dataset);

    [LoggerMessage(EventId = 701, Level = LogLevel.Error, Message = "Datasets could not be opened at start; each is opened by the first call for it")]
    private partial void LogFailed(Exception exception);
}
