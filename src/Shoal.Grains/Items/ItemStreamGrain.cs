using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Orleans.Streams.Core;
using Shoal.Contracts;

namespace Shoal.Grains.Items;

/// <summary>Takes items that producers put on a dataset's Orleans stream to their shards.</summary>
public interface IItemStreamGrain : IGrainWithStringKey;

/// <summary>Consumes the stream <see cref="StreamNames.Items"/> of the dataset that its key names.</summary>
/// <remarks>The provider keeps events in memory: one that is produced but not stored yet is lost when its silo dies.</remarks>
/// <param name="settings">Which shards there are.</param>
/// <param name="logger">Where items that cannot be stored are told: a stream has no way back to its producer.</param>
[ImplicitStreamSubscription(StreamNames.Items)]
internal sealed partial class ItemStreamGrain(SettingsCache settings, ILogger<ItemStreamGrain> logger)
    : Grain, IItemStreamGrain, IStreamSubscriptionObserver, IAsyncBatchObserver<ItemUpload>
{
    private string Dataset => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        ArgumentNullException.ThrowIfNull(handleFactory);
        return handleFactory.Create<ItemUpload>().ResumeAsync(this);
    }

    /// <inheritdoc/>
    public async Task OnNextAsync(IList<SequentialItem<ItemUpload>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        DatasetSettings known = await settings.GetAsync(Dataset);
        List<ItemUpload> valid = [];
        foreach (ItemUpload upload in items.Select(i => i.Item))
        {
            if (Names.ItemIdProblem(upload.Id) is { } problem)
            {
                LogRejected(Dataset, problem);
            }
            else
            {
                valid.Add(upload);
            }
        }

        // A failure is thrown back to the stream provider, which delivers the batch again; storing twice is a no-op.
        await Task.WhenAll(valid
            .GroupBy(upload => ItemKey.Of(upload.Id).Shard(known.Shards))
            .Select(group => StoreAsync(group.Key, [.. group])));
    }

    /// <inheritdoc/>
    public Task OnErrorAsync(Exception ex)
    {
        LogStreamError(Dataset, ex);
        return Task.CompletedTask;
    }

    private async Task StoreAsync(int shard, ItemUpload[] uploads)
    {
        ItemResult[] results = await GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, shard)).AppendAsync(new ItemBatch(uploads));
        foreach (ItemResult result in results.Where(r => r.Outcome is IngestOutcome.Rejected or IngestOutcome.Conflict))
        {
            LogRejected(Dataset, result.Reason ?? string.Empty);
        }
    }

    [LoggerMessage(EventId = 600, Level = LogLevel.Warning, Message = "{Dataset}: an item from the stream was not stored: {Reason}")]
    private partial void LogRejected(string dataset, string reason);

    [LoggerMessage(EventId = 601, Level = LogLevel.Warning, Message = "{Dataset}: the item stream reports an error")]
    private partial void LogStreamError(string dataset, Exception exception);
}
