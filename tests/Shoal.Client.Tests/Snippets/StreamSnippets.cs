using Orleans.Streams;
using Shoal.Contracts;

namespace Shoal.Client.Tests.Snippets;

/// <summary>The code of docs/how-to/produce-a-stream.md.</summary>
internal static class StreamSnippets
{
    public static async Task ProduceAsync(IClusterClient cluster, string dataset, IReadOnlyList<ItemUpload> items)
    {
        // <produce>
        IAsyncStream<ItemUpload> stream = cluster.GetStreamProvider(StreamNames.Log).GetStream<ItemUpload>(StreamNames.Items, dataset);
        await stream.OnNextBatchAsync(items);
        // </produce>
    }

    // <subscribe>
    public sealed class WatcherGrain([PersistentState("place")] IPersistentState<LogToken> place) : Grain, IWatcherGrain, IAsyncObserver<ItemUpload>
    {
        public override async Task OnActivateAsync(CancellationToken cancellationToken)
        {
            IAsyncStream<ItemUpload> stream = this.GetStreamProvider(StreamNames.Log).GetStream<ItemUpload>(StreamNames.Items, this.GetPrimaryKeyString());
            await stream.SubscribeAsync(this, place.RecordExists ? place.State : LogToken.Beginning);
        }

        public async Task OnNextAsync(ItemUpload item, StreamSequenceToken? token = null)
        {
            Seen.Add(item.Id);
            place.State = (LogToken)token!;
            await place.WriteStateAsync();
        }

        public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

        public Task<int> CountAsync() => Task.FromResult(Seen.Count);

        private HashSet<string> Seen { get; } = [];
    }
    // </subscribe>

    [Alias("snippets.watcher")]
    public interface IWatcherGrain : IGrainWithStringKey
    {
        [Alias("count")]
        Task<int> CountAsync();
    }
}
