using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>What a shard does by itself: assign, erase, copy its sidecars, open its log anew.</summary>
internal sealed partial class ShardGrain
{
    private Task _copying = Task.CompletedTask;
    private Task _erasing = Task.CompletedTask;

    private Task EraseAsync(CancellationToken cancellationToken) => _erasing = _stop.IsCancellationRequested ? Task.CompletedTask : EraseNowAsync();

    private async Task EraseNowAsync()
    {
        try
        {
            DateTimeOffset? before = _settings.RetainDays > 0 ? time.GetUtcNow() - TimeSpan.FromDays(_settings.RetainDays) : null;
            long? mostBytes = _settings.RetainBytes > 0 ? _settings.RetainBytes / _settings.Shards : null;
            if (await _items.ExpireAsync(before, mostBytes) is var expired && expired > 0)
            {
                _reader.Forget();
                LogExpired(_dataset, _shard, expired);
            }

            if (await _items.EraseAsync() is var erased && erased > 0)
            {
                LogErased(_dataset, _shard, erased);
            }
        }
        catch (StorageException e)
        {
            // Whatever it is, the next time tries again; a shard that lost its log finds out at its next write.
            LogEraseFailed(_dataset, _shard, e.Message);
        }
    }

    /// <summary>Opens the log anew as soon as the store answers.</summary>
    private async Task ReopenAsync()
    {
        Activity.Current = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _items.ReopenAsync();
                _pump.BeginAgain();
                Hint();
                LogReopened(_dataset, _shard, _items.Log.Epoch);
                return;
            }
            catch (StorageUnavailableException e)
            {
                LogReopenWaits(_dataset, _shard, e.Message);
                await Task.Delay(ReopenPause, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (StorageException e)
            {
                // The next activation says what it is.
                LogReopenWaits(_dataset, _shard, e.Message);
                DeactivateOnIdle();
                return;
            }
        }
    }

    private async Task PumpAsync()
    {
        // It goes on when the call that opened the shard is long over: nothing of it belongs to that trace.
        Activity.Current = null;
        try
        {
            await _pump.RunAsync(_stop.Token);
        }
#pragma warning disable CA1031 // Whatever it is, a shard that assigns nothing any more must not stay: its next activation starts over.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogPumpFailed(_dataset, _shard, e);
            DeactivateOnIdle();
        }
    }

    /// <summary>Stops all that a shard does by itself: nothing of it may reach what another activation, or another dataset of the name, has then.</summary>
    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        _pump.Wake();
        await _pumping;
        await _reopening;
        await _erasing;
        await _copying;
    }

    private Task CopyAsync(CancellationToken cancellationToken) =>
        _copying = _stop.IsCancellationRequested ? Task.CompletedTask : CopyAsync(() => _items.CopySidecarsAsync(_stop.Token));

    private async Task CopyAsync(Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (Exception e) when (e is StorageException or IOException or OperationCanceledException)
        {
            // What is not copied is made again from the log.
            LogCopyFailed(_dataset, _shard, e.Message);
        }
    }

    [LoggerMessage(EventId = 817, EventName = "LogReopened", Level = LogLevel.Information, Message = "{Dataset}/{Shard}: the log is open again at epoch {Epoch}")]
    private partial void LogReopened(string dataset, int shard, long epoch);

    [LoggerMessage(EventId = 818, EventName = "LogReopenWaits", Level = LogLevel.Warning, Message = "{Dataset}/{Shard}: the log cannot be opened again: {Reason}")]
    private partial void LogReopenWaits(string dataset, int shard, string reason);

    [LoggerMessage(EventId = 816, EventName = "ItemsExpired", Level = LogLevel.Information, Message = "{Dataset}/{Shard}: {Items} items were deleted, as retention asks")]
    private partial void LogExpired(string dataset, int shard, int items);

    [LoggerMessage(EventId = 814, EventName = "ItemsErased", Level = LogLevel.Information, Message = "{Dataset}/{Shard}: the bytes of {Items} deleted or replaced items are gone")]
    private partial void LogErased(string dataset, int shard, int items);

    [LoggerMessage(EventId = 815, EventName = "EraseFailed", Level = LogLevel.Warning, Message = "{Dataset}/{Shard}: deleted items could not be erased: {Reason}")]
    private partial void LogEraseFailed(string dataset, int shard, string reason);

    [LoggerMessage(EventId = 812, EventName = "PumpFailed", Level = LogLevel.Error, Message = "{Dataset}/{Shard}: assigning failed; the shard is opened again")]
    private partial void LogPumpFailed(string dataset, int shard, Exception exception);

    [LoggerMessage(EventId = 819, EventName = "SidecarCopyFailed", Level = LogLevel.Warning, Message = "{Dataset}/{Shard}: its sidecars could not be copied: {Reason}")]
    private partial void LogCopyFailed(string dataset, int shard, string reason);
}
