using System.Diagnostics;
using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Sending items.</content>
public sealed partial class ShoalClient
{
    /// <summary>
    /// Stores items durably: groups them into batches by shard, keeps several batches in flight, and repeats what failed for a while.
    /// Repeating the whole call is safe too: what is stored already comes back as <see cref="IngestOutcome.AlreadyKnown"/>.
    /// </summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">The items. Two items of one id in one call may be stored in either order.</param>
    /// <param name="options">How items are grouped; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the work; batches in flight may still be stored.</param>
    /// <returns>One result an item, in any order, as batches are acknowledged. Items are read only as fast as results are.</returns>
    /// <exception cref="ShoalException">Invalid (options), NotFound (no such dataset), Overloaded or Unavailable (outlasted the retries).</exception>
    public IAsyncEnumerable<IngestResult> IngestAsync(
        string dataset, IAsyncEnumerable<ItemUpload> items, IngestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return IngestAsync(dataset, items.Select(item => new SourceItem(item)), options, cancellationToken);
    }

    /// <summary>Stores one item durably. Many items go faster through <c>IngestAsync</c>, which sends them in batches.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="item">The item.</param>
    /// <param name="cancellationToken">Stops the wait; the item may still be stored.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<IngestResult> PutAsync(string dataset, ItemUpload item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        if (UploadRules.Problem(item, route.Settings) is { } problem)
        {
            return new IngestResult(item.Id, IngestOutcome.Rejected, -1, -1, problem);
        }

        int shard = route.ShardOf(item.Id);
        var batch = new ItemBatch([item]);
        ItemResult[] answers = await SendAsync(dataset, route[shard], batch, cancellationToken);
        return new IngestResult(item.Id, answers[0].Outcome, shard, answers[0].Sequence, answers[0].Reason);
    }

    /// <summary>Stores the items of a source durably; labels stay here, and items with a problem come back rejected.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">The items. Two items of one id in one call may be stored in either order.</param>
    /// <param name="options">How items are grouped; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the work; batches in flight may still be stored.</param>
    /// <returns>One result an item, in any order, as batches are acknowledged. Items are read only as fast as results are.</returns>
    /// <exception cref="ShoalException">Invalid (options), NotFound (no such dataset), Overloaded or Unavailable (outlasted the retries).</exception>
    public async IAsyncEnumerable<IngestResult> IngestAsync(
        string dataset,
        IAsyncEnumerable<SourceItem> items,
        IngestOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        options ??= new IngestOptions();
        options.Validate();
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        await using var pipeline = new IngestPipeline(route, options, _options.Time, (shard, batch, token) => SendAsync(dataset, shard, batch, token), cancellationToken);
        Task pump = pipeline.RunAsync(items);
        await foreach (IngestResult[] batch in pipeline.Results.ReadAllAsync(cancellationToken))
        {
            foreach (IngestResult result in batch)
            {
                yield return result;
            }
        }

        await pump;
    }

    private async Task<ItemResult[]> SendAsync(string dataset, IShardGrain shard, ItemBatch batch, CancellationToken cancellationToken)
    {
        using Activity? span = Traces.Source.StartActivity(Traces.Ingest, ActivityKind.Producer);
        span?.SetTag(Traces.DatasetTag, dataset).SetTag(Traces.ItemsTag, batch.Items.Length);
        return await CallAsync(() => shard.AppendAsync(batch, cancellationToken), cancellationToken);
    }
}
