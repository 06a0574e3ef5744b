using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Polly;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Sends items to Shoal and asks what became of them. One instance serves a whole process: it is safe for any number of threads.
/// Every method throws <see cref="ShoalException"/>: calls are repeated while it <see cref="ShoalException.IsTransient"/>, so what reaches
/// the caller has outlasted the retries.
/// </summary>
public sealed partial class ShoalClient : IAsyncDisposable
{
    private readonly IClusterClient _cluster;
    private readonly IHost? _host;
    private readonly ShoalClientOptions _options;
    private readonly ResiliencePipeline _retry;
    private readonly ConcurrentDictionary<string, DatasetRoute> _routes = new(StringComparer.Ordinal);

    /// <summary>Works over a cluster client that someone else connects and disposes; inside a silo, the silo's own.</summary>
    /// <param name="cluster">The cluster client.</param>
    /// <param name="options">Retries and lifetimes; addresses and ids are not looked at.</param>
    /// <exception cref="ShoalException">Invalid (options).</exception>
    public ShoalClient(IClusterClient cluster, ShoalClientOptions? options = null)
        : this(cluster, options ?? new ShoalClientOptions(), host: null)
    {
    }

    internal ShoalClient(IClusterClient cluster, ShoalClientOptions options, IHost? host)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        options.Validate();
        _cluster = cluster;
        _options = options;
        _host = host;
        _retry = CallFailures.Retry(options);
    }

    /// <summary>The Orleans client below, for what the SDK has no method for.</summary>
    public IClusterClient Cluster => _cluster;

    /// <summary>Connects to a silo.</summary>
    /// <param name="options">Where the silos are; null takes the defaults, an embedded silo on this host.</param>
    /// <param name="cancellationToken">Stops the attempt.</param>
    /// <exception cref="ShoalException">Invalid (options), Unavailable (no silo answers; the message says how to start one).</exception>
    public static Task<ShoalClient> ConnectAsync(ShoalClientOptions? options = null, CancellationToken cancellationToken = default) =>
        Connection.OpenAsync(options ?? new ShoalClientOptions(), cancellationToken);

    /// <summary>Creates a dataset. Repeating it with the same settings is a no-op.</summary>
    /// <param name="name">1 to 63 of a-z, 0-9, '-' and '_'.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>True when it was created now, false when it existed with these settings.</returns>
    /// <exception cref="ShoalException">Invalid, Conflict (it exists with other settings), Unavailable.</exception>
    public async Task<bool> CreateDatasetAsync(string name, DatasetSettings settings, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        CheckDataset(name);
        if (settings.Problems() is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        _routes.TryRemove(name, out _);
        return await CallAsync(() => Catalog.CreateAsync(name, settings), cancellationToken);
    }

    /// <summary>Gives a dataset that has not learned yet the encoder that it begins with, instead of fresh weights.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="weights">A safetensors file with the tensors <c>encoder.…</c> of a model version; at most <see cref="UploadRules.MostWeights"/> bytes.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (they do not fit; the message says why), NotFound, Conflict (it has learned already), Unavailable.</exception>
    public Task SetFirstWeightsAsync(string dataset, byte[] weights, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        IDatasetGrain grain = Dataset(dataset);
        return weights.Length > UploadRules.MostWeights
            ? throw new ShoalException(ShoalErrorKind.Invalid, UploadRules.WeightsTooLarge)
            : CallAsync(() => grain.SetFirstWeightsAsync(weights), cancellationToken);
    }

    /// <summary>The names of all datasets, sorted.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<string[]> ListDatasetsAsync(CancellationToken cancellationToken = default) =>
        CallAsync(Catalog.ListAsync, cancellationToken);

    /// <summary>Deletes a dataset with everything it holds.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    public async Task DeleteDatasetAsync(string name, CancellationToken cancellationToken = default)
    {
        CheckDataset(name);
        _routes.TryRemove(name, out _);
        bool tried = false;
        await CallAsync(DeleteAsync, cancellationToken);

        async Task DeleteAsync()
        {
            bool again = tried;
            tried = true;
            try
            {
                await Catalog.DeleteAsync(name);
            }
            catch (ShoalException gone) when (again && gone.Kind == ShoalErrorKind.NotFound)
            {
                // The try before this one timed out after it had done its work.
            }
        }
    }

    /// <summary>A dataset's settings, read at most <see cref="ShoalClientOptions.SettingsLifetime"/> ago.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public async Task<DatasetSettings> SettingsAsync(string dataset, CancellationToken cancellationToken = default) =>
        (await RouteAsync(dataset, cancellationToken)).Settings;

    /// <summary>A dataset at a glance: counts, lags, training.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public Task<DatasetStatus> StatusAsync(string dataset, CancellationToken cancellationToken = default) =>
        CallAsync(Dataset(dataset).GetStatusAsync, cancellationToken);

    /// <summary>Lets training rest; ingest and queries go on.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public Task PauseAsync(string dataset, CancellationToken cancellationToken = default) => SetPausedAsync(dataset, paused: true, cancellationToken);

    /// <summary>Lets training go on.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public Task ResumeAsync(string dataset, CancellationToken cancellationToken = default) => SetPausedAsync(dataset, paused: false, cancellationToken);

    /// <summary>Changes settings that may change; training goes on with them from its last round.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="change">What changes.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The settings that hold now.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public Task<DatasetSettings> ChangeDatasetAsync(string dataset, DatasetChange change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        IDatasetGrain grain = Dataset(dataset);
        return CallAsync(() => grain.ChangeAsync(change), cancellationToken);
    }

    /// <summary>Makes damaged logs readable again: what is taken out is saved in the store, and items that stood there are deleted from then on.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="shard">One shard; null for all.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>What was damaged; empty when nothing is.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable, Damaged (it cannot be repaired; the message says why).</exception>
    public Task<ShardDamage[]> RepairAsync(string dataset, int? shard = null, CancellationToken cancellationToken = default)
    {
        IDatasetGrain grain = Dataset(dataset);
        return CallAsync(() => grain.RepairAsync(shard), cancellationToken);
    }

    /// <summary>Closes the connection if this client opened it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_host is null)
        {
            return;
        }

        await _host.StopAsync();
        _host.Dispose();
    }

    private ICatalogGrain Catalog => _cluster.GetGrain<ICatalogGrain>(GrainKeys.Catalog);

    private static void CheckDataset(string name)
    {
        if (Names.DatasetProblem(name) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }
    }

    private IDatasetGrain Dataset(string name)
    {
        CheckDataset(name);
        return _cluster.GetGrain<IDatasetGrain>(name);
    }

    private Task SetPausedAsync(string dataset, bool paused, CancellationToken cancellationToken)
    {
        IDatasetGrain grain = Dataset(dataset);
        return CallAsync(() => grain.SetPausedAsync(paused), cancellationToken);
    }

    private DatasetRoute? FreshRoute(string dataset) =>
        _routes.TryGetValue(dataset, out DatasetRoute? route) && _options.Time.GetElapsedTime(route.LoadedAt) < _options.SettingsLifetime ? route : null;

    private async ValueTask<DatasetRoute> RouteAsync(string dataset, CancellationToken cancellationToken)
    {
        if (dataset is not null && FreshRoute(dataset) is { } known)
        {
            return known;
        }

        IDatasetGrain grain = Dataset(dataset!);
        long now = _options.Time.GetTimestamp();
        DatasetSettings settings = await CallAsync(grain.GetSettingsAsync, cancellationToken);
        var route = new DatasetRoute(dataset!, settings, _cluster, now);
        _routes[dataset!] = route;
        return route;
    }

    private async Task CallAsync(Func<Task> call, CancellationToken cancellationToken)
    {
        await CallAsync(Once, cancellationToken);

        async Task<bool> Once()
        {
            await call();
            return true;
        }
    }

    /// <summary>Calls a grain; repeats while the failure is transient; explains what remains.</summary>
    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await _retry.ExecuteAsync(
                static async (call, token) => await call().WaitAsync(token), call, cancellationToken);
        }
        catch (Exception failure) when (failure is not ShoalException && CallFailures.IsTransient(failure, cancellationToken))
        {
            throw CallFailures.Explain(failure);
        }
    }
}
