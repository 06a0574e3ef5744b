using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Questions about items.</content>
public sealed partial class ShoalClient
{
    /// <summary>Items asked for in one call to a shard, or classified in one call.</summary>
    private const int ChunkItems = 256;

    /// <summary>Bytes classified in one call: far below the transport's limit of 100 MB, and quick to send.</summary>
    private const int ChunkBytes = 4 * 1024 * 1024;

    /// <summary>The embedder grain's key; any will do, since the silo that takes the call answers.</summary>
    private const string AnyEmbedder = "any";

    /// <summary>What is known of an item now. Thousands of callers may ask at once: an answer costs one grain call.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The answer; its state is <see cref="ItemState.Unknown"/> for an id never seen.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<ItemAnswer> GetAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        if (!cancellationToken.CanBeCanceled && FreshRoute(dataset) is { } route)
        {
            // The hot path: no closure, no retry pipeline, no cancellation registration.
            try
            {
                return await route[route.ShardOf(id)].GetAsync(id);
            }
            catch (Exception failure) when (CallFailures.IsTransient(failure, cancellationToken))
            {
                // Goes on below, where calls are repeated with pauses.
            }
        }

        return await AskShardAsync(dataset, id, static (shard, id) => shard.GetAsync(id), cancellationToken);
    }

    /// <summary>What the published version makes of an item: where its assignment is older, it is assigned before the answer, which takes milliseconds more.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The answer; its state is <see cref="ItemState.Unknown"/> for an id never seen, and pending only while no version is published.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public Task<ItemAnswer> GetFreshAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        return AskShardAsync(dataset, id, static (shard, id) => shard.GetFreshAsync(id), cancellationToken);
    }

    /// <summary>What is known of many items now, in the order asked for.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="ids">The items' ids.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<ItemAnswer[]> GetManyAsync(string dataset, IReadOnlyList<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        foreach (string id in ids)
        {
            CheckItem(id);
        }

        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var answers = new ItemAnswer[ids.Count];
        IEnumerable<int[]> chunks = Enumerable.Range(0, ids.Count).GroupBy(i => route.ShardOf(ids[i])).SelectMany(shard => shard.Chunk(ChunkItems));

        // Four calls in flight keep several shards busy while a caller with a million ids holds little.
        await Parallel.ForEachAsync(chunks, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (places, token) =>
        {
            string[] asked = Array.ConvertAll(places, i => ids[i]);
            IShardGrain shard = route[route.ShardOf(asked[0])];
            ItemAnswer[] found = await CallAsync(() => shard.QueryAsync(asked), token);
            for (int i = 0; i < places.Length; i++)
            {
                answers[places[i]] = found[i];
            }
        });
        return answers;
    }

    /// <summary>Deletes items: durable on return, and no answer knows them from then on. Repeating it is a no-op.</summary>
    /// <remarks>What remains of them for a while, and where: docs/how-to/delete.md.</remarks>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="ids">The items' ids.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The ids that no item ever had.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable (some may be deleted; repeat it).</exception>
    public async Task<IReadOnlyList<string>> DeleteAsync(string dataset, IReadOnlyCollection<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        foreach (string id in ids)
        {
            CheckItem(id);
        }

        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var unknown = new List<string>();
        foreach (string[] chunk in ids.Distinct(StringComparer.Ordinal).GroupBy(route.ShardOf).SelectMany(shard => shard.Chunk(ChunkItems)))
        {
            IShardGrain shard = route[route.ShardOf(chunk[0])];
            bool[] known = await CallAsync(() => shard.DeleteAsync(chunk), cancellationToken);
            unknown.AddRange(chunk.Where((_, i) => !known[i]));
        }

        return unknown;
    }

    /// <summary>The original bytes of an item; null when it is unknown or deleted.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public Task<ItemContent?> GetContentAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        return AskShardAsync(dataset, id, static (shard, id) => shard.GetContentAsync(id), cancellationToken);
    }

    /// <summary>For each shard the sequence number to read on from.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="from">Where to begin, for the first shards; the others begin at 0. Null for the ends of all.</param>
    internal async Task<long[]> PlacesAsync(string dataset, long[]? from)
    {
        DatasetRoute route = await RouteAsync(dataset, CancellationToken.None);
        int shards = route.Shards.Length;
        if (from is not null)
        {
            return from.Length <= shards
                ? [.. from, .. new long[shards - from.Length]]
                : throw new ArgumentException($"The token names {from.Length} shards; the dataset '{dataset}' has {shards}.", nameof(from));
        }

        return await Task.WhenAll(Enumerable.Range(0, shards).Select(async shard => (await CallAsync(() => route[shard].ReadItemsAsync(long.MaxValue, 1, 1), CancellationToken.None)).End));
    }

    /// <summary>Items of one shard in order.</summary>
    internal async Task<ItemSlice> ReadLogAsync(string dataset, int shard, long from, int maxItems, int maxBytes, CancellationToken cancellationToken)
    {
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        return await CallAsync(() => route[shard].ReadItemsAsync(from, maxItems, maxBytes), cancellationToken);
    }

    /// <summary>The embedding of an item by the published version; null when it has none yet.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public Task<EmbeddingAnswer?> GetEmbeddingAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        return AskShardAsync(dataset, id, static (shard, id) => shard.GetEmbeddingAsync(id), cancellationToken);
    }

    /// <summary>The items nearest to an item, which is left out; empty while it has no embedding.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="count">How many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset, or an item never seen), Overloaded, Unavailable.</exception>
    public async Task<SimilarAnswer> SimilarAsync(string dataset, string id, int count = 10, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(count), count, 1, 1_000);
        EmbeddingAnswer? embedding = await GetEmbeddingAsync(dataset, id, cancellationToken);
        if (embedding is null)
        {
            ItemAnswer answer = await GetAsync(dataset, id, cancellationToken);
            return answer.State is ItemState.Unknown or ItemState.Deleted
                ? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'.")
                : new SimilarAnswer { Items = [] };
        }

        SimilarAnswer found = await SimilarAsync(dataset, embedding, count + 1, cancellationToken);
        return found with { Items = [.. found.Items.Where(item => !string.Equals(item.Id, id, StringComparison.Ordinal)).Take(count)] };
    }

    /// <summary>The items nearest to an embedding, best first: every shard is asked, and the answers are merged.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="embedding">The embedding and the version that made it, as <c>ClassifyAsync</c> returns them; only items embedded by that version are compared.</param>
    /// <param name="count">How many, 1 to 1,001.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<SimilarAnswer> SimilarAsync(string dataset, EmbeddingAnswer embedding, int count = 10, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        CheckCount(nameof(count), count, 1, 1_001);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var calls = new Task<ShardSimilar>[route.Shards.Length];
        for (int i = 0; i < calls.Length; i++)
        {
            IShardGrain shard = route[i];
            calls[i] = CallAsync(() => shard.FindSimilarAsync(embedding.Embedding, embedding.ModelVersion, count), cancellationToken);
        }

        ShardSimilar[] found = await Task.WhenAll(calls);
        long total = found.Sum(shard => shard.Total);
        return new SimilarAnswer
        {
            Items = [.. found.SelectMany(shard => shard.Items).OrderByDescending(item => item.Similarity).ThenBy(item => item.Id, StringComparer.Ordinal).Take(count)],
            ModelVersion = embedding.ModelVersion,
            Coverage = total == 0 ? 0 : (double)found.Sum(shard => shard.Compared) / total,
        };
    }

    /// <summary>The items nearest to bytes that are not stored; empty while no version is published.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="item">The bytes and their type; the id means nothing.</param>
    /// <param name="count">How many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (also bytes that cannot be decoded), NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<SimilarAnswer> SimilarAsync(string dataset, ItemUpload item, int count = 10, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        CheckCount(nameof(count), count, 1, 1_000);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        Classification made = (await ClassifyChunkAsync(dataset, [new SourceItem(item)], route.Settings, withEmbeddings: true, cancellationToken))[0].Answer;
        return made switch
        {
            { State: ItemState.Quarantined } => throw new ShoalException(ShoalErrorKind.Invalid, made.Reason ?? "The bytes cannot be decoded."),
            { Embedding: { } embedding } => await SimilarAsync(dataset, new EmbeddingAnswer(made.ModelVersion, embedding), count, cancellationToken),
            _ => new SimilarAnswer { Items = [] },
        };
    }

    /// <summary>Says what the published version makes of items, without storing them; answers come in the items' order.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">The items; ids come back with the answers and mean nothing else.</param>
    /// <param name="withEmbeddings">Whether to return embeddings.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public IAsyncEnumerable<ClassifiedItem> ClassifyAsync(
        string dataset, IAsyncEnumerable<ItemUpload> items, bool withEmbeddings = false, CancellationToken cancellationToken = default) =>
        ClassifyAsync(dataset, items.Select(item => new SourceItem(item)), withEmbeddings, cancellationToken);

    /// <summary>Says what the published version makes of a source's items; those with a problem come back quarantined.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">The items; ids come back with the answers and mean nothing else.</param>
    /// <param name="withEmbeddings">Whether to return embeddings.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async IAsyncEnumerable<ClassifiedItem> ClassifyAsync(
        string dataset,
        IAsyncEnumerable<SourceItem> items,
        bool withEmbeddings = false,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        var chunk = new List<SourceItem>(ChunkItems);
        long bytes = 0;
        await foreach (SourceItem item in items.WithCancellation(cancellationToken))
        {
            chunk.Add(item);
            bytes += item.Upload.Bytes.Length;
            if (chunk.Count == ChunkItems || bytes >= ChunkBytes)
            {
                foreach (ClassifiedItem answer in await ClassifyChunkAsync(dataset, chunk, route.Settings, withEmbeddings, cancellationToken))
                {
                    yield return answer;
                }

                chunk.Clear();
                bytes = 0;
            }
        }

        if (chunk.Count > 0)
        {
            foreach (ClassifiedItem answer in await ClassifyChunkAsync(dataset, chunk, route.Settings, withEmbeddings, cancellationToken))
            {
                yield return answer;
            }
        }
    }

    private async Task<ClassifiedItem[]> ClassifyChunkAsync(
        string dataset, List<SourceItem> chunk, DatasetSettings settings, bool withEmbeddings, CancellationToken cancellationToken)
    {
        var answers = new ClassifiedItem[chunk.Count];
        var sent = new List<int>(chunk.Count);
        for (int i = 0; i < answers.Length; i++)
        {
            if ((chunk[i].Problem ?? UploadRules.Problem(chunk[i].Upload, settings)) is { } problem)
            {
                answers[i] = new ClassifiedItem(chunk[i].Upload.Id, new Classification { State = ItemState.Quarantined, Reason = problem });
            }
            else
            {
                sent.Add(i);
            }
        }

        if (sent.Count > 0)
        {
            IEmbedderGrain embedder = _cluster.GetGrain<IEmbedderGrain>(AnyEmbedder);
            var batch = new ItemBatch([.. sent.Select(i => chunk[i].Upload)]);
            Classification[] found = await CallAsync(() => embedder.ClassifyAsync(dataset, batch, withEmbeddings), cancellationToken);
            for (int i = 0; i < found.Length; i++)
            {
                answers[sent[i]] = new ClassifiedItem(chunk[sent[i]].Upload.Id, found[i]);
            }
        }

        return answers;
    }

    private static void CheckItem(string id)
    {
        if (Names.ItemIdProblem(id) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }
    }

    private static void CheckCount(string name, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The {name} is {value}; must be {least:N0} to {most:N0}.");
        }
    }

    private async Task<T> AskShardAsync<T>(string dataset, string id, Func<IShardGrain, string, Task<T>> ask, CancellationToken cancellationToken)
    {
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        IShardGrain shard = route[route.ShardOf(id)];
        return await CallAsync(() => ask(shard, id), cancellationToken);
    }
}

/// <summary>What the published version makes of one item.</summary>
/// <param name="Id">The id that the caller gave it.</param>
/// <param name="Answer">The answer; an item that breaks a rule is quarantined, with the reason.</param>
public readonly record struct ClassifiedItem(string Id, Classification Answer);
