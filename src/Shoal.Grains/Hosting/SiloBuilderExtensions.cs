using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Items;
using Shoal.Grains.Shards;
using Shoal.Grains.Silos;
using Shoal.Grains.Telemetry;
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
        // Made at their first use: a silo that does not compute never loads libtorch.
        silo.Services.AddSingleton<ComputeThread>();
        silo.Services.AddSingleton<ModelCache>();
        silo.Services.AddSingleton<EmbeddingService>();
        silo.Services.AddSingleton<RemoteEmbeddings>();
        silo.Services.AddSingleton<IEmbeddings>(services => options.Roles.HasFlag(SiloRoles.Compute) ? services.GetRequiredService<EmbeddingService>() : services.GetRequiredService<RemoteEmbeddings>());
        silo.Services.AddSingleton<SettingsCache>();
        silo.Services.AddSingleton<SiloDirectory>();
        silo.Services.AddMetrics();
        silo.Services.AddSingleton<TrainingMetrics>();
        silo.Services.AddSingleton<ShardMetrics>();
        silo.Services.AddSingleton<ModelMetrics>();
        silo.Services.AddSingleton<StorageMetrics>();
        silo.UseSiloMetadata(new Dictionary<string, string>(StringComparer.Ordinal) { [SiloRoleNames.Key] = SiloRoleNames.Format(options.Roles) });
#pragma warning disable ORLEANSEXP003 // By its name an experiment; without it a silo that leaves takes along shards of others, whose places it knew.
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        // What a dead silo had is placed anew at once, and not after 30 s: a shard's log refuses whoever lost it, so nothing depends on there being one activation only.
        silo.Configure<GrainDirectoryOptions>(directory => directory.RangeLeaseDuration = TimeSpan.Zero);
        silo.Services.AddPlacementFilter<RoleFilterStrategy, RoleFilterDirector>(ServiceLifetime.Transient);
        silo.Services.AddPlacementDirector<SeatPlacementStrategy, SeatPlacementDirector>();
        silo.Services.AddPlacementDirector<ShardPlacementStrategy, ShardPlacementDirector>();
        silo.Services.AddSingleton<OpenShards>();
        silo.Services.AddHostedService<DatasetStarter>();
        silo.Services.AddHostedService<SiloDeparture>();
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
        IObjectStore store = new MeteredObjectStore(OpenStore(services.GetRequiredService<ShoalSiloOptions>()), services.GetRequiredService<StorageMetrics>());
        return Environment.GetEnvironmentVariable(KillPoint.Variable) is { Length: > 0 } point ? new KillingObjectStore(store, KillPoint.Parse(point)) : store;
    }

    private static IObjectStore OpenStore(ShoalSiloOptions options) =>
        options.Blobs is { } account ? BlobContainers.Open(account, options.BlobContainer) : new FileObjectStore(options.StoreDirectory, new FileObjectStoreOptions { HeadroomBytes = options.DiskHeadroomMiB << 20 });
}
