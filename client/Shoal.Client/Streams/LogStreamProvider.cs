using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Adds Orleans streams over the logs of datasets.</summary>
public static class LogStreamExtensions
{
    /// <summary>Adds the provider <see cref="StreamNames.Log"/> to a client.</summary>
    /// <param name="client">The client.</param>
    public static IClientBuilder AddShoalStreams(this IClientBuilder client)
    {
        ArgumentNullException.ThrowIfNull(client);
        Add(client.Services);
        return client;
    }

    /// <summary>Adds the provider <see cref="StreamNames.Log"/> to a silo.</summary>
    /// <param name="silo">The silo.</param>
    public static ISiloBuilder AddShoalStreams(this ISiloBuilder silo)
    {
        ArgumentNullException.ThrowIfNull(silo);
        Add(silo.Services);
        return silo;
    }

    private static void Add(IServiceCollection services) =>
        services.AddKeyedSingleton<IStreamProvider>(StreamNames.Log, static (services, _) => new LogStreamProvider(services));
}

/// <summary>Gives Orleans streams that are datasets' logs: what is produced is durable when the call returns, and subscribers may begin anywhere.</summary>
/// <remarks>
/// There is no queue between the two, so nothing can be lost on the way, and no pulling agent, whose subscribers can go back only as far as
/// its cache does. A subscription reads the shards' logs itself and lives as long as who subscribed; it keeps its own token.
/// </remarks>
internal sealed class LogStreamProvider : IStreamProvider
{
    private readonly Lazy<ShoalClient> _client;
    private readonly ConcurrentDictionary<Guid, LogSubscription> _subscriptions = [];

    public LogStreamProvider(IServiceProvider services)
    {
        // The client is made when the first stream is asked for: by then Orleans is up.
        _client = new Lazy<ShoalClient>(() => services.GetService<ShoalClient>() ?? new ShoalClient(services.GetRequiredService<IClusterClient>()));
        Contexts = services.GetService<IGrainContextAccessor>();
        Logger = services.GetService<ILogger<LogStreamProvider>>();
    }

    public string Name => StreamNames.Log;

    public bool IsRewindable => true;

    public ShoalClient Client => _client.Value;

    public IGrainContextAccessor? Contexts { get; }

    public ILogger? Logger { get; }

    public IAsyncStream<T> GetStream<T>(StreamId streamId)
    {
        if (!string.Equals(streamId.GetNamespace(), StreamNames.Items, StringComparison.Ordinal))
        {
            throw new ArgumentException($"The namespace '{streamId.GetNamespace()}' is none of the provider '{Name}'; it has '{StreamNames.Items}', with a dataset's name as the key.", nameof(streamId));
        }

        return new LogStream(this, streamId) as IAsyncStream<T>
            ?? throw new ArgumentException($"Streams of the provider '{Name}' carry {nameof(ItemUpload)}, not {typeof(T).Name}.", nameof(streamId));
    }

    public IEnumerable<LogSubscription> Subscriptions(StreamId stream) => _subscriptions.Values.Where(subscription => subscription.StreamId == stream);

    public void Add(LogSubscription subscription) => _subscriptions[subscription.HandleId] = subscription;

    public void Remove(LogSubscription subscription) => _subscriptions.TryRemove(subscription.HandleId, out _);
}
