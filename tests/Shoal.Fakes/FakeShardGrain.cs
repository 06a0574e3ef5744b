using Shoal.Contracts;

namespace Shoal.Fakes;

public sealed class FakeShardGrain(FakeStore store) : Grain, IShardGrain
{
    private const int Version = 7;

    private FakeDataset Dataset => store.Dataset(GrainKeys.Split(this.GetPrimaryKeyString()).Dataset);

    private int Shard => int.Parse(GrainKeys.Split(this.GetPrimaryKeyString()).Suffix);

    private IEnumerable<FakeItem> Own => Dataset.Items.Values.Where(item => item.Shard == Shard);

    public Task<ItemResult[]> AppendAsync(ItemBatch batch, CancellationToken cancellationToken = default)
    {
        FakeDataset dataset = Dataset;
        return dataset.AppendingAsync(() =>
        {
            if (dataset.AppendFailures.TryDequeue(out Exception? failure))
            {
                throw failure;
            }

            dataset.Batches.Enqueue((Shard, batch.Items.Length));
            return Array.ConvertAll(batch.Items, item => Append(dataset, item));
        });
    }

    public Task<bool[]> DeleteAsync(string[] ids)
    {
        FakeDataset dataset = Dataset;
        return Task.FromResult(Array.ConvertAll(ids, id => dataset.Items.TryRemove(id, out _) ? dataset.Deleted[id] = true : dataset.Deleted.ContainsKey(id)));
    }

    public Task<long[]> GetGoneAsync(long[] sequences) => throw new NotSupportedException();

    public Task<ItemAnswer[]> QueryAsync(string[] ids) => Task.FromResult(Array.ConvertAll(ids, Answer));

    public Task<ItemAnswer> GetAsync(string id) =>
        Dataset.QueryFailures.TryDequeue(out Exception? failure) ? throw failure : Task.FromResult(Answer(id));

    public Task<ItemAnswer> GetFreshAsync(string id) => GetAsync(id);

    public Task<ItemContent?> GetContentAsync(string id) => Task.FromResult(
        Dataset.Items.TryGetValue(id, out FakeItem? item)
            ? new ItemContent { Id = id, MediaType = item.Upload.MediaType, Bytes = item.Upload.Bytes, Metadata = item.Upload.Metadata }
            : null);

    public Task<EmbeddingAnswer?> GetEmbeddingAsync(string id) => Task.FromResult(
        Dataset.Items.TryGetValue(id, out FakeItem? item) && item.State == ItemState.Assigned ? new EmbeddingAnswer(Version, item.Embedding) : null);

    public Task<LogSlice> ReadAsync(long from, int maxItems, int maxBytes) => throw new NotSupportedException();

    public Task<ItemSlice> ReadItemsAsync(long from, int maxItems, int maxBytes)
    {
        StoredItem[] items = [.. Own.Where(item => item.Sequence >= from).OrderBy(item => item.Sequence).Take(maxItems).Select(item => new StoredItem(item.Sequence, item.Upload))];
        return Task.FromResult(new ItemSlice(items, items.Length == 0 ? from : items[^1].Sequence + 1, Own.Count()));
    }

    public Task<ShardSimilar> FindSimilarAsync(byte[] embedding, int modelVersion, int count)
    {
        FakeItem[] compared = [.. Own.Where(item => item.State == ItemState.Assigned)];
        return Task.FromResult(new ShardSimilar
        {
            Items = [.. compared.Select(item => new SimilarItem(item.Upload.Id, 1 - (Math.Abs(item.Embedding[0] - embedding[0]) / 255f), item.Cluster))
                .OrderByDescending(item => item.Similarity).Take(count)],
            Compared = compared.Length,
            Total = Own.Count(),
        });
    }

    public Task<ShardChanges> GetChangesAsync(FeedPlace after, int limit)
    {
        // A shard that nothing is deleted from: one change an item, in the order of their sequence numbers.
        FakeItem[] all = [.. Own.OrderBy(item => item.Sequence)];
        long from = after == FeedPlace.End ? all.Length : after.Number;
        FakeItem[] told = [.. all.Skip((int)from).Take(limit)];
        return Task.FromResult(new ShardChanges
        {
            Items = Array.ConvertAll(told, item => new ItemChange { Id = item.Upload.Id, Shard = Shard, Sequence = item.Sequence, State = item.State, Cluster = item.Cluster, StateBefore = ItemState.Pending }),
            Next = new FeedPlace(1, from + told.Length, -1, Behind: false),
            More = from + told.Length < all.Length,
        });
    }

    public Task<ItemHistory?> GetHistoryAsync(string id, int limit) => Task.FromResult(
        Dataset.Items.TryGetValue(id, out FakeItem? item)
            ? new ItemHistory
            {
                Id = id,
                Changes = [new ItemChange { Id = id, Shard = Shard, Sequence = item.Sequence, State = item.State, Cluster = item.Cluster, StateBefore = ItemState.Pending }],
                ReachesBack = true,
            }
            : null);

    public Task<ShardItems> ListAsync(ItemFilter filter, ListPlace from, int limit)
    {
        if (Dataset.Damaged.Contains(Shard))
        {
            throw new ShoalException(ShoalErrorKind.Damaged, "The log is damaged.");
        }

        // Looks at two items a call, so that pages are made of many.
        const int MostScanned = 2;
        FakeItem[] all = [.. Own.OrderBy(item => item.Sequence)];
        ListPlace at = from == ListPlace.Start ? new ListPlace(filter.Newest ? all.Length : 0, all.Length) : from;
        var items = new List<ListedItem>();
        var reached = DateTimeOffset.UnixEpoch;
        for (int scanned = 0; scanned < MostScanned && items.Count < limit && !at.IsDone(filter.Newest); scanned++)
        {
            FakeItem item = all[filter.Newest ? at.Next - 1 : at.Next];
            reached = item.At;
            if ((filter.Cluster is not { } cluster || (item.Cluster is { } own && Dataset.Resolve(own) == Dataset.Resolve(cluster))) && (filter.State is null || item.State == filter.State) && (filter.ConfidenceBelow is null || (item.Cluster is not null && filter.ConfidenceBelow > 0.9f)))
            {
                items.Add(new ListedItem(Answer(item.Upload.Id), filter.Newest ? at.Next - 1 : at.Next, reached));
            }

            at = at with { Next = at.Next + (filter.Newest ? -1 : 1) };
        }

        return Task.FromResult(new ShardItems { Items = [.. items], Next = at, Reached = reached });
    }

    public Task<EmbeddingSlice> ReadEmbeddingsAsync(long from, int maxItems)
    {
        // Two positions a call; embeddings of two values.
        FakeItem[] all = [.. Own.OrderBy(item => item.Sequence)];
        FakeItem[] read = [.. all.Skip((int)from).Take(2)];
        FakeItem[] found = [.. read.Where(item => item.State == ItemState.Assigned)];
        return Task.FromResult(new EmbeddingSlice
        {
            Ids = Array.ConvertAll(found, item => item.Upload.Id),
            Versions = Array.ConvertAll(found, _ => Version),
            Embeddings = [.. found.SelectMany(item => new[] { (Half)(item.Upload.Bytes[0] / 256f), (Half)(-1) }).SelectMany(BitConverter.GetBytes)],
            Width = 2,
            Next = from + read.Length,
            End = all.Length,
        });
    }

    public Task<ShardMembers> GetMembersAsync(int exemplars) => throw new NotSupportedException();

    public Task<ShardStatus> GetStatusAsync() => Task.FromResult(new ShardStatus
    {
        Shard = Shard,
        End = Own.Count(),
        Items = Own.Count(),
        Pending = Own.Count(item => item.State == ItemState.Pending),
        Assigned = Own.Count(item => item.State == ItemState.Assigned),
        QuarantineReasons = [],
        RejectReasons = [],
        ModelVersion = Version,
    });

    public Task AnnounceAsync(DatasetAnnouncement announcement) => Task.CompletedTask;

    public Task CloseAsync(bool removeSidecars) => throw new NotSupportedException();

    private ItemResult Append(FakeDataset dataset, ItemUpload item)
    {
        if (dataset.Items.TryGetValue(item.Id, out FakeItem? known))
        {
            if (known.Upload.Bytes.AsSpan().SequenceEqual(item.Bytes))
            {
                return new ItemResult(IngestOutcome.AlreadyKnown, known.Sequence);
            }

            if (!item.Replace)
            {
                return new ItemResult(IngestOutcome.Conflict, -1, "The id holds other bytes; send replace to change them.");
            }
        }

        var stored = new FakeItem(item, Shard, Own.Count(), dataset.Tick());
        dataset.Items[item.Id] = stored;
        return new ItemResult(known is null ? IngestOutcome.Accepted : IngestOutcome.Replaced, stored.Sequence);
    }

    private ItemAnswer Answer(string id)
    {
        if (!Dataset.Items.TryGetValue(id, out FakeItem? item) || item.Shard != Shard)
        {
            return new ItemAnswer { Id = id, Shard = Shard };
        }

        return new ItemAnswer
        {
            Id = id,
            State = item.State,
            Cluster = item.Cluster,
            ClusterName = item.Cluster is { } cluster ? Dataset.Names.GetValueOrDefault(cluster) : null,
            Confidence = item.Cluster is null ? 0 : 0.9f,
            ModelVersion = item.Cluster is null ? 0 : Version,
            Shard = Shard,
            Sequence = item.Sequence,
            ReceivedAt = item.At,
        };
    }
}
