using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <summary>Answers what is asked of a shard's items; it changes nothing.</summary>
internal sealed class ShardReader(ShardStore items, IndexPump pump, TimeProvider time)
{
    // A wall of exemplars is looked at, not computed with: a few seconds old is fresh enough, and a scan of a
    // million assignments is 48 MB of reads.
    private static readonly TimeSpan MembersAge = TimeSpan.FromSeconds(3);
    private const int Block = 2_048;

    private (ShardMembers Value, int Exemplars, long At)? _members;

    /// <summary>What is known of an item.</summary>
    public ItemAnswer Answer(string id, in ShardSurroundings surroundings)
    {
        if (id is null || Names.ItemIdProblem(id) is not null || !items.TryFind(id, out var sequence))
        {
            ItemState state = id is not null && Names.ItemIdProblem(id) is null && items.IsDeleted(id) ? ItemState.Deleted : ItemState.Unknown;
            return new ItemAnswer { Id = id ?? string.Empty, State = state, Shard = surroundings.Shard };
        }

        return Tell(sequence, id, surroundings);
    }

    /// <summary>What is known of an item that is there.</summary>
    public ItemAnswer Tell(long sequence, string id, in ShardSurroundings surroundings)
    {
        ClusterDirectory directory = surroundings.Directory;
        Assignment assignment = items.Ledger.Read(sequence);
        long? cluster = assignment.StateOf() == AssignmentState.Assigned ? directory.Resolve(assignment.Cluster) : null;
        var behind = assignment.StateOf() == AssignmentState.Pending || pump.Version is null ? 0 : pump.Version.Version - assignment.ModelVersion;
        return new ItemAnswer
        {
            Id = id,
            State = assignment.StateOf().ToState(),
            Cluster = cluster,
            ClusterName = cluster is { } c ? directory.NameOf(c) : null,
            Confidence = cluster is null ? 0 : assignment.Confidence,
            Distance = assignment.StateOf() == AssignmentState.Outlier ? assignment.Confidence : null,
            ModelVersion = assignment.StateOf() == AssignmentState.Pending ? 0 : assignment.ModelVersion,
            VersionsBehind = behind,
            SecondsBehind = behind > 0 ? SecondsSince(assignment.ModelVersion, surroundings.PublishedAt) : 0,
            Reason = assignment.StateOf() == AssignmentState.Quarantined ? QuarantineReasons.Sentence(assignment.Cluster) : null,
            Shard = surroundings.Shard,
            Sequence = sequence,
            ReceivedAt = items.Index.Get(sequence).Time,
        };
    }

    /// <summary>Looks for exemplars anew: one of them may be gone.</summary>
    public void Forget() => _members = null;

    /// <summary>An item's original bytes; null when it is unknown.</summary>
    public async Task<ItemContent?> ContentAsync(string id)
    {
        if (!items.TryFind(id, out var sequence))
        {
            return null;
        }

        LogRecord record = await items.ReadAsync(sequence);
        return new ItemContent { Id = record.Id, MediaType = record.MediaType, Bytes = record.Bytes.ToArray(), Metadata = record.Metadata, ReceivedAt = record.Time };
    }

    /// <summary>An item's embedding; null when it has none.</summary>
    public EmbeddingAnswer? Embedding(string id)
    {
        if (!items.TryFind(id, out var sequence))
        {
            return null;
        }

        Assignment assignment = items.Ledger.Read(sequence);
        if (assignment.StateOf() is not (AssignmentState.Assigned or AssignmentState.Outlier))
        {
            return null;
        }

        var embedding = new Half[items.Table.Width];
        items.Table.ReadEmbeddings(sequence, 1, embedding);
        return new EmbeddingAnswer(assignment.EmbeddingVersion, MemoryMarshal.AsBytes(embedding.AsSpan()).ToArray());
    }

    /// <summary>Durable items from a position on.</summary>
    public async Task<LogSlice> SliceAsync(long from, int maxItems, int maxBytes)
    {
        (LogRecord[] records, var next, var end) = await RecordsAsync(from, maxItems, maxBytes);
        return new LogSlice { Items = Array.ConvertAll(records, r => new LogItem(r.Position.Sequence, r.MediaType, r.Bytes.ToArray())), Next = next, End = end };
    }

    /// <summary>The same as they were sent.</summary>
    public async Task<ItemSlice> ItemsAsync(long from, int maxItems, int maxBytes)
    {
        (LogRecord[] records, var next, var end) = await RecordsAsync(from, maxItems, maxBytes);
        return new ItemSlice(
            Array.ConvertAll(records, r => new StoredItem(r.Position.Sequence, new ItemUpload
            {
                Id = r.Id,
                MediaType = r.MediaType,
                Bytes = r.Bytes.ToArray(),
                Metadata = r.Metadata.Count == 0 ? null : new Dictionary<string, string>(r.Metadata, StringComparer.Ordinal),
            })),
            next,
            end);
    }

    private async Task<(LogRecord[] Records, long Next, long End)> RecordsAsync(long from, int maxItems, int maxBytes)
    {
        var end = items.Index.Count;
        if (from >= end)
        {
            return ([], from, end);
        }

        // What one read of the log looks at: where all of it is gone, reading goes on behind.
        var count = (int)Math.Min(Math.Clamp(maxItems, 1, Block), end - from);
        IReadOnlyList<LogRecord> records = await items.Log.ReadRangeAsync(from, count, Math.Clamp(maxBytes, 1, 32 << 20), CancellationToken.None);
        var next = records.Count == 0 ? from + count : records[^1].Position.Sequence + 1;
        return ([.. records.Where(r => !items.Index.Get(r.Position.Sequence).IsGone())], next, end);
    }

    /// <summary>The nearest items to an embedding; ranked off the turn.</summary>
    public async Task<ShardSimilar> SimilarAsync(Half[] embedding, int version, int count, ClusterDirectory directory)
    {
        if (embedding.Length != items.Table.Width)
        {
            return new ShardSimilar { Items = [], Compared = 0, Total = items.Live };
        }

        var end = items.Index.Count;
        (List<(long Sequence, float Similarity, long Cluster)> best, var compared) = await Task.Run(() => Rank(embedding, version, count, end));
        var similar = new SimilarItem[best.Count];
        for (var i = 0; i < best.Count; i++)
        {
            LogRecord record = await items.ReadAsync(best[i].Sequence);
            similar[i] = new SimilarItem(record.Id, best[i].Similarity, best[i].Cluster < 0 ? null : directory.Resolve(best[i].Cluster));
        }

        return new ShardSimilar { Items = similar, Compared = compared, Total = items.Live };
    }

    /// <summary>The members of this shard's clusters.</summary>
    public async Task<ShardMembers> MembersAsync(int exemplars)
    {
        if (_members is { } known && known.Exemplars >= exemplars && time.GetElapsedTime(known.At) < MembersAge)
        {
            return Counted(known.Value, exemplars);
        }

        ILookup<long, (long Sequence, float Confidence)> top = exemplars == 0
            ? Array.Empty<(long, long, float)>().ToLookup(x => x.Item1, x => (x.Item2, x.Item3))
            : MostConfident(exemplars).ToLookup(x => x.Cluster, x => (x.Sequence, x.Confidence));
        var clusters = new List<ShardCluster>();
        foreach (var cluster in items.Ledger.Clusters.Keys.ToArray())
        {
            var shown = new List<Exemplar>();
            foreach ((var sequence, var confidence) in top[cluster].OrderByDescending(x => x.Confidence))
            {
                shown.Add(new Exemplar((await items.ReadAsync(sequence)).Id, confidence));
            }

            clusters.Add(new ShardCluster { Cluster = cluster, Exemplars = [.. shown] });
        }

        var members = new ShardMembers { Clusters = [.. clusters] };
        _members = (members, exemplars, time.GetTimestamp());
        return Counted(members, exemplars);
    }

    /// <summary>Counts and lags.</summary>
    public ShardStatus Status(int shard, SortedList<int, DateTimeOffset> publishedAt)
    {
        var published = pump.Version?.Version ?? 0;
        ShardLedger ledger = items.Ledger;
        return new ShardStatus
        {
            Shard = shard,
            End = items.Index.Count,
            Items = items.Live,
            Pending = items.Pending,
            Assigned = ledger.Assigned,
            Outliers = ledger.Outliers,
            Quarantined = ledger.Quarantined,
            QuarantineReasons = ledger.Quarantine.Where(q => q.Value > 0).ToDictionary(q => QuarantineReasons.Code(q.Key), q => q.Value, StringComparer.Ordinal),
            RejectReasons = [],
            StaleItems = [.. ledger.Versions.Where(v => v.Key < published).Reverse()
                .Select(v => new StaleItems(published - v.Key, SecondsSince(v.Key, publishedAt), v.Value))],
            LogBytes = items.Log.DurableBytes,
            Syncs = items.Log.Syncs,
            ModelVersion = published,
            Problem = pump.Problem,
        };
    }

    /// <summary>Counts are always current; only exemplars are remembered.</summary>
    private ShardMembers Counted(ShardMembers members, int exemplars) => new()
    {
        Clusters = [.. members.Clusters
            .Where(c => items.Ledger.Clusters.ContainsKey(c.Cluster))
            .Select(c => c with
            {
                Count = items.Ledger.Clusters[c.Cluster].Items,
                ConfidenceSum = items.Ledger.Clusters[c.Cluster].ConfidenceSum,
                Exemplars = c.Exemplars.Length > exemplars ? c.Exemplars[..exemplars] : c.Exemplars,
            })],
    };

    private double SecondsSince(int version, SortedList<int, DateTimeOffset> publishedAt)
    {
        foreach ((var number, DateTimeOffset at) in publishedAt)
        {
            if (number > version)
            {
                return Math.Max(0, (time.GetUtcNow() - at).TotalSeconds);
            }
        }

        return 0;
    }

    private IEnumerable<(long Cluster, long Sequence, float Confidence)> MostConfident(int count)
    {
        var best = new Dictionary<long, PriorityQueue<long, float>>();
        var block = new Assignment[Block];
        for (long from = 0; from < items.Index.Count; from += Block)
        {
            Span<Assignment> read = block.AsSpan(0, (int)Math.Min(Block, items.Index.Count - from));
            items.Table.ReadMany(from, read);
            for (var i = 0; i < read.Length; i++)
            {
                if (read[i].StateOf() != AssignmentState.Assigned || items.Index.Get(from + i).IsGone())
                {
                    continue;
                }

                if (!best.TryGetValue(read[i].Cluster, out PriorityQueue<long, float>? queue))
                {
                    best.Add(read[i].Cluster, queue = new PriorityQueue<long, float>());
                }

                if (queue.Count < count)
                {
                    queue.Enqueue(from + i, read[i].Confidence);
                }
                else
                {
                    queue.EnqueueDequeue(from + i, read[i].Confidence);
                }
            }
        }

        return best.SelectMany(b => b.Value.UnorderedItems.Select(x => (b.Key, x.Element, x.Priority)));
    }

    private (List<(long Sequence, float Similarity, long Cluster)> Best, long Compared) Rank(Half[] embedding, int version, int count, long end)
    {
        var width = items.Table.Width;
        var query = new float[width];
        TensorPrimitives.ConvertToSingle(embedding, query);
        var assignments = new Assignment[Block];
        var halves = new Half[Block * width];
        var row = new float[width];
        var best = new PriorityQueue<(long Sequence, float Similarity, long Cluster), float>();
        long compared = 0;
        for (long from = 0; from < end; from += Block)
        {
            var n = (int)Math.Min(Block, end - from);
            items.Table.ReadMany(from, assignments.AsSpan(0, n));
            items.Table.ReadEmbeddings(from, n, halves.AsSpan(0, n * width));
            for (var i = 0; i < n; i++)
            {
                Assignment assignment = assignments[i];
                if (assignment.StateOf() is not (AssignmentState.Assigned or AssignmentState.Outlier) || assignment.EmbeddingVersion != version)
                {
                    continue;
                }

                compared++;
                TensorPrimitives.ConvertToSingle(halves.AsSpan(i * width, width), row);
                var similarity = TensorPrimitives.Dot<float>(query, row);
                if ((best.TryPeek(out _, out var least) && best.Count == count && similarity <= least) || items.Index.Get(from + i).IsGone())
                {
                    continue;
                }

                var entry = (from + i, similarity, assignment.StateOf() == AssignmentState.Assigned ? assignment.Cluster : -1);
                if (best.Count < count)
                {
                    best.Enqueue(entry, similarity);
                }
                else
                {
                    best.EnqueueDequeue(entry, similarity);
                }
            }
        }

        return ([.. best.UnorderedItems.Select(x => x.Element).OrderByDescending(x => x.Similarity)], compared);
    }
}
