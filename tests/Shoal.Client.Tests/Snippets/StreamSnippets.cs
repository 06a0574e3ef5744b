using Orleans.Streams;
using Shoal.Contracts;

namespace Shoal.Client.Tests.Snippets;

/// <summary>The code of docs/how-to/produce-a-stream.md.</summary>
internal static class StreamSnippets
{
    public static async Task ProduceAsync(ShoalClient client, string dataset, IReadOnlyList<ItemUpload> items)
    {
        // <produce>
        await client.ProduceAsync(dataset, items);
        // </produce>
    }

    public static async Task ProduceByHandAsync(IClusterClient cluster, string dataset, IReadOnlyList<ItemUpload> items)
    {
        // <by-hand>
        IAsyncStream<ItemUpload> stream = cluster
            .GetStreamProvider(StreamNames.Provider)
            .GetStream<ItemUpload>(StreamId.Create(StreamNames.Items, dataset));
        await stream.OnNextBatchAsync(items);
        // </by-hand>
    }
}
