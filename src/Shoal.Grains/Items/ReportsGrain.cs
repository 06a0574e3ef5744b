using System.Numerics.Tensors;
using Orleans.Concurrency;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Silos;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Grains.Items;

/// <summary>Makes reports on a dataset from some of its items; behind everything that anybody waits for.</summary>
/// <param name="settings">What datasets announce.</param>
/// <param name="embedding">Where samples are embedded.</param>
/// <param name="compute">Where samples are changed.</param>
[StatelessWorker(1)]
[RequiresRole(SiloRoles.Compute)]
[Reentrant]
internal sealed class ReportsGrain(SettingsCache settings, EmbeddingService embedding, ComputeThread compute) : Grain, IReportsGrain
{
    private const int LeastItems = 10;
    private const int MostChanged = 1_000;
    private const int MostRead = 100_000;

    private static readonly IReadOnlyDictionary<string, string> EmptyFields = new Dictionary<string, string>(StringComparer.Ordinal);

    private string Dataset => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public async Task<InvarianceReport> GetInvarianceAsync(int items)
    {
        Check(items, MostChanged);
        DatasetAnnouncement known = await settings.GetAnnouncementAsync(Dataset);
        PublishedVersion version = known.Version ?? throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Dataset}' has no published version yet; ask again when it has.");
        ItemUpload[] read = [.. (await ItemsOf.ReadAsync(GrainFactory, Dataset, known.Settings.Shards, items)).SelectMany(of => of).Take(items)];
        ImageDecoder decoder = MediaSettings.Decoder(known.Settings);
        (byte[] pixels, var count) = await Task.Run(() => Decode(decoder, read));
        if (count < 2)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Dataset}' has not two items that can be decoded.");
        }

        SampleShape shape = LearnerSettings.Shape(known.Settings);
        (float[] before, Prototypes prototypes) = await EmbedAsync(version, pixels, count);
        int[] slots = Slots(before, prototypes);
        var movements = new List<Movement>();
        foreach (Transformation transformation in Transformations.Of(shape))
        {
            foreach (var strength in transformation.Strengths)
            {
                byte[] changed = await compute.RunAsync(ComputePriority.Refresh, Dataset, () => transformation.Apply(pixels, count, shape, strength));
                (float[] after, _) = await EmbedAsync(version, changed, count);
                movements.Add(new Movement
                {
                    Transformation = transformation.Name,
                    Strength = strength,
                    Unit = transformation.Unit,
                    Distance = Enumerable.Range(0, count).Average(i => Distance(Row(before, i), Row(after, i))),
                    Moved = slots.Zip(Slots(after, prototypes)).Count(slot => slot.First != slot.Second) / (double)count,
                });
            }
        }

        return new InvarianceReport
        {
            ModelVersion = version.Version,
            Items = count,
            Apart = Enumerable.Range(0, count).Average(i => Distance(Row(before, i), Row(before, (i + 1) % count))),
            Movements = [.. movements],
        };

        ReadOnlySpan<float> Row(float[] embeddings, int row) => embeddings.AsSpan(row * prototypes.Width, prototypes.Width);
    }

    /// <inheritdoc/>
    public async Task<BiasReport> GetBiasAsync(int items)
    {
        Check(items, MostRead);
        DatasetSettings known = await settings.GetAsync(Dataset);
        List<(long Cluster, IReadOnlyDictionary<string, string> Fields)> placed = [];
        foreach (var (shard, of) in (await ItemsOf.ReadAsync(GrainFactory, Dataset, known.Shards, items)).Index())
        {
            ItemAnswer[] answers = await GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, shard)).QueryAsync(Array.ConvertAll(of, item => item.Id));
            placed.AddRange(of.Zip(answers).Where(pair => pair.Second.Cluster is not null).Select(pair => (pair.Second.Cluster!.Value, pair.First.Metadata ?? EmptyFields)));
        }

        return await Task.Run(() => new BiasReport { Items = placed.Count, Fields = Bias.Of(placed) });
    }

    private static void Check(int items, int most)
    {
        if (items < LeastItems || items > most)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A report looks at {LeastItems} to {most:N0} items, not at {items:N0}.");
        }
    }

    private static (byte[] Pixels, int Count) Decode(ImageDecoder decoder, ItemUpload[] items)
    {
        var pixels = new byte[items.Length * decoder.SampleBytes];
        var count = 0;
        foreach (ItemUpload item in items)
        {
            count += decoder.TryDecode(item.MediaType, item.Bytes, pixels.AsSpan(count * decoder.SampleBytes, decoder.SampleBytes), out _) ? 1 : 0;
        }

        return (pixels[..(count * decoder.SampleBytes)], count);
    }

    private async Task<(float[] Embeddings, Prototypes Prototypes)> EmbedAsync(PublishedVersion version, byte[] pixels, int count)
    {
        (Half[] halves, Prototypes prototypes) = await embedding.EmbedAsync(Dataset, version, pixels, count, ComputePriority.Refresh);
        var embeddings = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, embeddings);
        return (embeddings, prototypes);
    }

    // The prototype of each embedding; -1 where none fits.
    private static int[] Slots(float[] embeddings, Prototypes prototypes)
    {
        var row = new Half[prototypes.Width];
        return [.. Enumerable.Range(0, embeddings.Length / prototypes.Width).Select(i =>
        {
            TensorPrimitives.ConvertToHalf(embeddings.AsSpan(i * prototypes.Width, prototypes.Width), row);
            Placement placed = prototypes.Assign(row);
            return placed.IsOutlier ? -1 : placed.Slot;
        })];
    }

    // Embeddings are of length 1 but for rounding.
    private static double Distance(ReadOnlySpan<float> one, ReadOnlySpan<float> other) => 1 - TensorPrimitives.Dot(one, other);
}

/// <summary>Reads some items of a dataset, from every shard as many.</summary>
internal static class ItemsOf
{
    private const int SliceItems = 256;
    private const int SliceBytes = 8 * 1024 * 1024;

    /// <summary>Items spread over the whole of each shard's log.</summary>
    /// <param name="grains">Where shards are asked.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="shards">How many shards it has.</param>
    /// <param name="items">How many items in all, about; fewer where it has fewer.</param>
    /// <returns>Those of each shard.</returns>
    public static Task<ItemUpload[][]> ReadAsync(IGrainFactory grains, string dataset, int shards, int items)
    {
        var each = (items + shards - 1) / shards;
        return Task.WhenAll(Enumerable.Range(0, shards).Select(shard => ReadShardAsync(grains.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, shard)), each)));
    }

    private static async Task<ItemUpload[]> ReadShardAsync(IShardGrain shard, int items)
    {
        List<ItemUpload> read = [];
        var end = (await shard.ReadItemsAsync(0, 1, SliceBytes)).End;

        // In so many places, equally far apart.
        var places = Math.Max(1, Math.Min(8, items / 4));
        for (var place = 0; place < places; place++)
        {
            var (next, stop, wanted) = (end * place / places, end * (place + 1) / places, (items + places - 1) / places);
            while (wanted > 0 && next < stop)
            {
                ItemSlice slice = await shard.ReadItemsAsync(next, Math.Min(SliceItems, wanted), SliceBytes);
                ItemUpload[] taken = [.. slice.Items.Where(item => item.Sequence < stop).Select(item => item.Item).Take(wanted)];
                read.AddRange(taken);
                (wanted, next) = (wanted - taken.Length, Math.Max(slice.Next, next + 1));
            }
        }

        return [.. read];
    }
}

/// <summary>How much of a clustering goes with what items carry.</summary>
internal static class Bias
{
    /// <summary>One for each field, the strongest first.</summary>
    /// <param name="items">The cluster of each item, and its fields.</param>
    public static FieldBias[] Of(IReadOnlyList<(long Cluster, IReadOnlyDictionary<string, string> Fields)> items)
    {
        List<FieldBias> biases = [];
        foreach (var field in items.SelectMany(item => item.Fields.Keys).Distinct(StringComparer.Ordinal))
        {
            (long Cluster, string Value)[] carrying = [.. items.Where(item => item.Fields.ContainsKey(field)).Select(item => (item.Cluster, item.Fields[field]))];
            int[] clusters = Numbered(carrying.Select(item => item.Cluster));
            int[] values = Numbered(carrying.Select(item => item.Value));
            int[] dealt = [.. values];
            new Random(1).Shuffle(dealt);
            biases.Add(new FieldBias
            {
                Field = field,
                Items = carrying.Length,
                Values = values.Max() + 1,
                NormalizedMutualInformation = ClusterScores.Shared(clusters, values),
                ByChance = ClusterScores.Shared(clusters, dealt),
            });
        }

        return [.. biases.OrderByDescending(bias => bias.NormalizedMutualInformation - bias.ByChance).ThenBy(bias => bias.Field, StringComparer.Ordinal)];
    }

    private static int[] Numbered<T>(IEnumerable<T> values)
        where T : notnull
    {
        var numbers = new Dictionary<T, int>();
        return [.. values.Select(value => numbers.TryGetValue(value, out var number) ? number : numbers[value] = numbers.Count)];
    }
}
