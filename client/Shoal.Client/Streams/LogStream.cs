using Orleans.Streams;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>The items of one dataset as an Orleans stream.</summary>
internal sealed class LogStream(LogStreamProvider provider, StreamId id) : IAsyncStream<ItemUpload>
{
    // So many reasons are told; the others are like them.
    private const int MostReasons = 3;

    public bool IsRewindable => true;

    public string ProviderName => provider.Name;

    public StreamId StreamId => id;

    private string Dataset => id.GetKeyAsString();

    public Task OnNextAsync(ItemUpload item, StreamSequenceToken? token = null) => OnNextBatchAsync([item], token);

    public async Task OnNextBatchAsync(IEnumerable<ItemUpload> batch, StreamSequenceToken? token = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var refused = new List<IngestResult>();
        await foreach (IngestResult result in provider.Client.IngestAsync(Dataset, batch.ToAsyncEnumerable()))
        {
            if (!result.IsStored)
            {
                refused.Add(result);
            }
        }

        if (refused.Count > 0)
        {
            throw new ShoalException(
                refused.TrueForAll(result => result.Outcome == IngestOutcome.Conflict) ? ShoalErrorKind.Conflict : ShoalErrorKind.Invalid,
                $"{refused.Count} items were not stored, the others are: {string.Join(' ', refused.Take(MostReasons).Select(result => $"'{result.Id}': {result.Reason}"))}");
        }
    }

    public Task OnCompletedAsync() => throw new NotSupportedException("A dataset's stream has no end; delete the dataset instead.");

    public Task OnErrorAsync(Exception ex) => throw new NotSupportedException("A dataset's log holds items, not errors.");

    public Task<StreamSubscriptionHandle<ItemUpload>> SubscribeAsync(IAsyncObserver<ItemUpload> observer) => SubscribeAsync(observer, token: null);

    public Task<StreamSubscriptionHandle<ItemUpload>> SubscribeAsync(IAsyncObserver<ItemUpload> observer, StreamSequenceToken? token, string? filterData = null) =>
        LogSubscription.StartAsync(provider, this, LogSubscription.Deliver(observer), observer.OnErrorAsync, token);

    public Task<StreamSubscriptionHandle<ItemUpload>> SubscribeAsync(IAsyncBatchObserver<ItemUpload> observer) => SubscribeAsync(observer, token: null);

    public Task<StreamSubscriptionHandle<ItemUpload>> SubscribeAsync(IAsyncBatchObserver<ItemUpload> observer, StreamSequenceToken? token) =>
        LogSubscription.StartAsync(provider, this, LogSubscription.Deliver(observer), observer.OnErrorAsync, token);

    public Task<IList<StreamSubscriptionHandle<ItemUpload>>> GetAllSubscriptionHandles() =>
        Task.FromResult<IList<StreamSubscriptionHandle<ItemUpload>>>([.. provider.Subscriptions(id)]);

    public bool Equals(IAsyncStream<ItemUpload>? other) => other is LogStream && other.StreamId == id;

    public override bool Equals(object? obj) => obj is IAsyncStream<ItemUpload> other && Equals(other);

    public override int GetHashCode() => id.GetHashCode();

    public int CompareTo(IAsyncStream<ItemUpload>? other) => other is null ? 1 : id.CompareTo(other.StreamId);
}
