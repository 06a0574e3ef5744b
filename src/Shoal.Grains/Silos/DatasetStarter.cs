using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Grains.Items;
using Shoal.Grains.Shards;
using Shoal.Storage;

namespace Shoal.Grains.Silos;

/// <summary>Opens every dataset's shards, spreads them evenly and sees that it trains, once the silo is up and whenever silos have come or gone.</summary>
/// <remarks>One silo does it for all: the first of those that own data. Where two hold themselves for the first, nothing is done twice that matters.</remarks>
/// <param name="grains">The cluster.</param>
/// <param name="silos">Who does what.</param>
/// <param name="settings">How many shards a dataset has.</param>
/// <param name="lifetime">When the silo is up.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures go.</param>
internal sealed partial class DatasetStarter(
    IGrainFactory grains, SiloDirectory silos, SettingsCache settings, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DatasetStarter> logger)
    : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // After a failure, and without one: a change that was missed is made up for.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(30);

    // Where silos come and go every second nothing is moved, and one that has just come up compiles, and is slow.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);

    // The silos when shards were spread last: while these are the same, nothing has to move.
    private SiloAddress[] _spreadOver = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration started = lifetime.ApplicationStarted.Register(up.SetResult);
        await up.Task.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(Look, time);
        do
        {
            // Not the list's version: that changes as soon as a silo is suspected, and calls to it then wait for nothing.
            SiloAddress[] seen = silos.Up();
            TimeSpan pause = await StartAllAsync() ? Safety : Again;
            var begun = time.GetTimestamp();
            var tried = false;
            while (silos.Up().SequenceEqual(seen) && time.GetElapsedTime(begun) < pause)
            {
                await timer.WaitForNextTickAsync(stoppingToken);
                if (!tried && !seen.SequenceEqual(_spreadOver) && time.GetElapsedTime(begun) >= Settled && IsFirst())
                {
                    tried = true;
                    _spreadOver = await SpreadAllAsync() ? seen : _spreadOver;
                }
            }
        }
        while (!stoppingToken.IsCancellationRequested);
    }

    private bool IsFirst() => !silos.IsLeaving && silos.With(SiloRoles.Data) is [SiloAddress first, ..] && first.Equals(silos.Local);

    /// <summary>Starts every dataset; one that cannot be opened holds up no other.</summary>
    private async Task<bool> StartAllAsync()
    {
        if (!IsFirst())
        {
            return true;
        }

        var all = true;
        string[]? datasets = await TryAsync("the catalog", () => grains.GetGrain<ICatalogGrain>(GrainKeys.Catalog).ListAsync());
        if (datasets is not null)
        {
            _opened.IntersectWith(datasets);
        }

        foreach (var dataset in datasets ?? [])
        {
            var opened = await TryAsync(dataset, async () =>
            {
                await grains.GetGrain<IDatasetGrain>(dataset).StartAsync();
                return dataset;
            });
            all &= opened is not null;
            if (opened is not null && _opened.Add(dataset))
            {
                LogStarted(dataset);
            }
        }

        return all && datasets is not null;
    }

    private async Task<bool> SpreadAllAsync()
    {
        var all = true;
        foreach (var dataset in _opened)
        {
            try
            {
                await SpreadAsync(dataset);
            }
            catch (Exception e) when (IsExpected(e))
            {
                all = false;
                LogNotSpread(dataset, e.Message);
            }
        }

        return all;
    }

    /// <summary>Moves shards to silos that have fewer, one after another: queries wait for one of many.</summary>
    private async Task SpreadAsync(string dataset)
    {
        IManagementGrain management = grains.GetGrain<IManagementGrain>(0);
        IShardGrain[] shards = [.. Enumerable.Range(0, (await settings.GetAsync(dataset)).Shards).Select(shard => grains.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, shard)))];
        SiloAddress?[] places = await Task.WhenAll(shards.Select(async shard => await management.GetActivationAddress(shard)));
        foreach (var (shard, to) in ShardMoves.Even(places, silos.With(SiloRoles.Data)))
        {
            await ShardMoves.MoveAsync(shards[shard], to);
            LogMoved(dataset, shard, to);
        }
    }

    private async Task<T?> TryAsync<T>(string what, Func<Task<T>> start)
        where T : class
    {
        try
        {
            return await start();
        }
        catch (Exception e) when (IsExpected(e))
        {
            LogFailed(what, e);
            return null;
        }
    }

    private static bool IsExpected(Exception e) => e is StorageException || Failures.IsExpected(e);

    [LoggerMessage(EventId = 700, EventName = "DatasetOpened", Level = LogLevel.Information, Message = "Dataset {Dataset} is open")]
    private partial void LogStarted(string dataset);

    [LoggerMessage(EventId = 703, EventName = "ShardMoved", Level = LogLevel.Information, Message = "{Dataset}/{Shard} moved to {Silo}, which had fewer")]
    private partial void LogMoved(string dataset, int shard, SiloAddress silo);

    [LoggerMessage(EventId = 704, EventName = "BalancingFailed", Level = LogLevel.Warning, Message = "Some silos have more of {Dataset}'s shards than others; moving them failed, and is tried again: {Reason}")]
    private partial void LogNotSpread(string dataset, string reason);

    [LoggerMessage(EventId = 701, EventName = "OpenFailed", Level = LogLevel.Error, Message = "Could not open {What}; it is tried again, and opened by the first call for it")]
    private partial void LogFailed(string what, Exception exception);
}
