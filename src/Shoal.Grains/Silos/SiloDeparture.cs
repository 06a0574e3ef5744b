using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shoal.Grains.Hosting;
using Shoal.Grains.Shards;

namespace Shoal.Grains.Silos;

/// <summary>Hands a silo's shards to others, one after another, before anything of it stops: each is away for as long as it takes to open, and not for as long as a silo takes to stop.</summary>
/// <param name="silos">Who is up.</param>
/// <param name="shards">What is open here.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures go.</param>
internal sealed partial class SiloDeparture(SiloDirectory silos, OpenShards shards, TimeProvider time, ILogger<SiloDeparture> logger) : IHostedLifecycleService
{
    // What has not moved by then is closed with the silo, and opened elsewhere by its next call.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        silos.Leave();
        SiloAddress[] others = Array.FindAll(silos.With(SiloRoles.Data), silo => !silo.Equals(silos.Local));
        var begun = time.GetTimestamp();
        foreach (var (i, shard) in (others.Length > 0 ? shards.All() : []).Index())
        {
            TimeSpan left = Longest - time.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero)
            {
                break;
            }

            try
            {
                await ShardMoves.MoveAsync(shard, others[i % others.Length]).WaitAsync(left, time, cancellationToken);
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                LogFailed(shard.GetPrimaryKeyString(), e.Message);
            }
        }
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 702, EventName = "HandOverFailed", Level = LogLevel.Warning, Message = "{Shard} could not be handed over; its next call opens it elsewhere: {Reason}")]
    private partial void LogFailed(string shard, string reason);
}
