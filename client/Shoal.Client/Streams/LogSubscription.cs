using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>One subscription: reads the logs of a dataset's shards and hands items to an observer, each at least once, those of a shard in order.</summary>
/// <remarks>
/// It runs where it was made: of a grain, on that activation's turns until it is deactivated. An observer that throws is told so and gets the same
/// items again after a pause, for as long as it takes: skipping is its own decision.
/// </remarks>
#pragma warning disable CA1001 // The source holds no timer, so nothing but memory, and a handle has no end but Unsubscribe, which may come twice.
internal sealed partial class LogSubscription : StreamSubscriptionHandle<ItemUpload>
#pragma warning restore CA1001
{
    // Items and bytes of one read of a shard.
    private const int ReadItems = 256;
    private const int ReadBytes = 1024 * 1024;

    // From an item's append to its delivery at most, where the log was read to its end.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly LogStreamProvider _provider;
    private readonly LogStream _stream;
    private readonly Func<Exception, Task> _fail;
    private readonly Func<IReadOnlyList<SequentialItem<ItemUpload>>, int, Task<int>> _deliver;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private LogSubscription(LogStreamProvider provider, LogStream stream, Func<IReadOnlyList<SequentialItem<ItemUpload>>, int, Task<int>> deliver, Func<Exception, Task> fail) =>
        (_provider, _stream, _deliver, _fail) = (provider, stream, deliver, fail);

    /// <inheritdoc/>
    public override StreamId StreamId => _stream.StreamId;

    /// <inheritdoc/>
    public override string ProviderName => _provider.Name;

    /// <inheritdoc/>
    public override Guid HandleId { get; } = Guid.NewGuid();

    /// <summary>Hands items to an observer one by one; a step is done once one is.</summary>
    public static Func<IReadOnlyList<SequentialItem<ItemUpload>>, int, Task<int>> Deliver(IAsyncObserver<ItemUpload> observer) => async (items, from) =>
    {
        await observer.OnNextAsync(items[from].Item, items[from].Token);
        return from + 1;
    };

    /// <summary>Hands items to an observer all at once.</summary>
    public static Func<IReadOnlyList<SequentialItem<ItemUpload>>, int, Task<int>> Deliver(IAsyncBatchObserver<ItemUpload> observer) => async (items, from) =>
    {
        await observer.OnNextAsync([.. items.Skip(from)]);
        return items.Count;
    };

    /// <summary>Begins a subscription.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="deliver">Hands items, from one on, to the observer; returns the first that is still to be handed on.</param>
    /// <param name="fail">Tells the observer of a failure.</param>
    /// <param name="token">Where to begin; null for what comes from now on.</param>
    /// <exception cref="ArgumentException">The token is of another provider.</exception>
    /// <exception cref="ShoalException">NotFound (no such dataset), Unavailable.</exception>
    public static async Task<StreamSubscriptionHandle<ItemUpload>> StartAsync(
        LogStreamProvider provider, LogStream stream, Func<IReadOnlyList<SequentialItem<ItemUpload>>, int, Task<int>> deliver, Func<Exception, Task> fail, StreamSequenceToken? token)
    {
        if (token is not null and not LogToken)
        {
            throw new ArgumentException($"A token of the provider '{provider.Name}' is a {nameof(LogToken)}, not a {token.GetType().Name}.", nameof(token));
        }

        var subscription = new LogSubscription(provider, stream, deliver, fail);
        var places = await provider.Client.PlacesAsync(stream.StreamId.GetKeyAsString(), (token as LogToken)?.Next);
        if (provider.Contexts?.GrainContext is { GrainInstance: IGrainBase } activation)
        {
            activation.Deactivated.ContinueWith(_ => subscription._stop.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Ignore();
        }

        provider.Add(subscription);
        subscription._running = Task.Factory.StartNew(() => subscription.RunAsync(places), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Unwrap();
        return subscription;
    }

    /// <inheritdoc/>
    public override async Task UnsubscribeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    /// <inheritdoc/>
    public override async Task<StreamSubscriptionHandle<ItemUpload>> ResumeAsync(IAsyncObserver<ItemUpload> observer, StreamSequenceToken? token = null)
    {
        await UnsubscribeAsync();
        return await _stream.SubscribeAsync(observer, token);
    }

    /// <inheritdoc/>
    public override async Task<StreamSubscriptionHandle<ItemUpload>> ResumeAsync(IAsyncBatchObserver<ItemUpload> observer, StreamSequenceToken? token = null)
    {
        await UnsubscribeAsync();
        return await _stream.SubscribeAsync(observer, token);
    }

    /// <inheritdoc/>
    public override bool Equals(StreamSubscriptionHandle<ItemUpload>? other) => other is not null && other.HandleId == HandleId;

    private async Task RunAsync(long[] next)
    {
        try
        {
            TimeSpan pause = LookEvery;
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    if (await LookAsync(next))
                    {
                        pause = LookEvery;
                        continue;
                    }
                }
                catch (OperationCanceledException) when (_stop.IsCancellationRequested)
                {
                    // Whoever unsubscribes does so while a shard is being read, more often than not.
                    break;
                }
#pragma warning disable CA1031 // Whatever an observer throws, it is told and asked again.
                catch (Exception e) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogFailed(_stream.StreamId, e);
                    await TellAsync(e);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }

                await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            _provider.Remove(this);
        }
    }

    private async Task TellAsync(Exception failure)
    {
        try
        {
            await _fail(failure);
        }
#pragma warning disable CA1031 // It has been logged.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(_stream.StreamId, e);
        }
    }

    // Reads on in every shard once; false when there was nothing.
    private async Task<bool> LookAsync(long[] next)
    {
        var any = false;
        for (int shard = 0; shard < next.Length && !_stop.IsCancellationRequested; shard++)
        {
            ItemSlice slice = await _provider.Client.ReadLogAsync(_stream.StreamId.GetKeyAsString(), shard, next[shard], ReadItems, ReadBytes, _stop.Token);
            SequentialItem<ItemUpload>[] items = Array.ConvertAll(slice.Items, item => new SequentialItem<ItemUpload>(item.Item, At(next, shard, item.Sequence)));
            for (int at = 0; at < items.Length && !_stop.IsCancellationRequested;)
            {
                at = await _deliver(items, at);
                next[shard] = at < items.Length ? slice.Items[at].Sequence : slice.Next;
            }

            any |= slice.Next > next[shard] || items.Length > 0;
            next[shard] = items.Length == 0 ? slice.Next : next[shard];
        }

        return any;
    }

    private static LogToken At(long[] next, int shard, long sequence)
    {
        long[] at = [.. next];
        at[shard] = sequence;
        return new LogToken(at);
    }

    private void LogFailed(StreamId stream, Exception failure)
    {
        if (_provider.Logger is { } logger)
        {
            LogFailed(logger, stream.ToString(), failure);
        }
    }

    [LoggerMessage(EventId = 610, EventName = "SubscriptionRepeats", Level = LogLevel.Warning, Message = "{Stream}: the items at hand are delivered again")]
    private static partial void LogFailed(ILogger logger, string stream, Exception exception);
}
