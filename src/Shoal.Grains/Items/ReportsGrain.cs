using System.Numerics.Tensors;
using Orleans.Concurrency;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Silos;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Grains.Items;

/// <summary>Makes reports on a dataset from some of its items, piece by piece.</summary>
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
    private const int MostRead = 10_000;

    private static readonly IReadOnlyDictionary<string, string> EmptyFields = new Dictionary<string, string>(StringComparer.Ordinal);

    // How many samples at a time: what others wait for meanwhile is one such piece.
    private const int PieceSamples = 256;
    private const int PieceBytes = 8 * 1024 * 1024;

    // One report at a time; who asks for one that is being made, or asks again, gets that one.
    private readonly Dictionary<(bool Invariance, int Items), Task> _running = [];
    private Task _last = Task.CompletedTask;

    private string Dataset => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public Task<InvarianceReport> GetInvarianceAsync(int items)
    {
        Check(items, MostChanged);
        return OnceAsync((true, items), () => MakeInvarianceAsync(items));
    }

    /// <inheritdoc/>
    public Task<BiasReport> GetBiasAsync(int items)
    {
        Check(items, MostRead);
        return OnceAsync((false, items), () => MakeBiasAsync(items));
    }

    private static void Check(int items, int most)
    {
        if (items < LeastItems || items > most)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A report looks at {LeastItems} to {most:N0} items, not at {items:N0}.");
        }
    }

    private Task<T> OnceAsync<T>((bool Invariance, int Items) report, Func<Task<T>> make)
    {
        foreach (var (made, _) in _running.Where(entry => entry.Value.IsCompleted).ToArray())
        {
            _running.Remove(made);
        }

        if (!_running.TryGetValue(report, out Task? running))
        {
            _running[report] = running = _last = MakeAsync(_last);
        }

        return (Task<T>)running;

        async Task<T> MakeAsync(Task before)
        {
            // Whoever asked for that one hears of its failure.
            await before.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            return await make();
        }
    }

    private async Task<InvarianceReport> MakeInvarianceAsync(int items)
    {
        DatasetAnnouncement known = await settings.GetAnnouncementAsync(Dataset);
        PublishedVersion version = known.Version ?? throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Dataset}' has no published version yet; ask again when it has.");
        ISampleDecoder decoder = MediaSettings.Decoder(known.Settings);
        byte[][] samples = await DatasetSample.ReadAsync(GrainFactory, Dataset, known.Settings.Shards, items, (_, read) => Task.Run(() => Array.ConvertAll(read, item => Decode(decoder, item))));
        if (samples.Length < 2)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Dataset}' has not two items that can be decoded.");
        }

        SampleShape shape = LearnerSettings.Shape(known.Settings);
        (float[] before, Prototypes prototypes) = await EmbedAsync(version, samples, shape, null);
        int[] slots = Slots(before, prototypes);
        var movements = new List<Movement>();
        foreach (Transformation transformation in Transformations.Of(shape, LearnerSettings.Options(known.Settings).Kind))
        {
            foreach (var strength in transformation.Strengths)
            {
                (float[] after, _) = await EmbedAsync(version, samples, shape, (pixels, count) => transformation.Apply(pixels, count, shape, strength));
                movements.Add(new Movement
                {
                    Transformation = transformation.Name,
                    Strength = strength,
                    Unit = transformation.Unit,
                    Distance = Enumerable.Range(0, samples.Length).Average(i => Distance(Row(before, i), Row(after, i))),
                    Moved = slots.Zip(Slots(after, prototypes)).Count(slot => slot.First != slot.Second) / (double)samples.Length,
                });
            }
        }

        return new InvarianceReport
        {
            ModelVersion = version.Version,
            Items = samples.Length,
            Apart = Enumerable.Range(0, samples.Length).Average(i => Distance(Row(before, i), Row(before, (i + 1) % samples.Length))),
            Movements = [.. movements],
        };

        ReadOnlySpan<float> Row(float[] embeddings, int row) => embeddings.AsSpan(row * prototypes.Width, prototypes.Width);
    }

    private async Task<BiasReport> MakeBiasAsync(int items)
    {
        DatasetSettings known = await settings.GetAsync(Dataset);
        Placed[] placed = await DatasetSample.ReadAsync<Placed>(GrainFactory, Dataset, known.Shards, items, async (shard, read) =>
        {
            ItemAnswer[] answers = read.Length == 0 ? [] : await GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, shard)).QueryAsync(Array.ConvertAll(read, item => item.Id));
            return [.. read.Zip(answers, (item, answer) => answer.Cluster is { } cluster ? new Placed(cluster, item.Metadata ?? EmptyFields) : null)];
        });
        return await Task.Run(() => new BiasReport { Items = placed.Length, Fields = Bias.Of([.. placed.Select(item => (item.Cluster, item.Fields))]) });
    }

    private static byte[]? Decode(ISampleDecoder decoder, ItemUpload item)
    {
        var sample = new byte[decoder.SampleBytes];
        return decoder.TryDecode(item.MediaType, item.Bytes, sample, out _) ? sample : null;
    }

    // Embeddings of samples as they are, or changed; by pieces.
    private async Task<(float[] Embeddings, Prototypes Prototypes)> EmbedAsync(PublishedVersion version, byte[][] samples, SampleShape shape, Func<byte[], int, byte[]>? change)
    {
        List<float> embeddings = [];
        Prototypes prototypes = await embedding.PrototypesAsync(Dataset, version);
        foreach (byte[][] piece in samples.Chunk(Math.Clamp(PieceBytes / shape.Size, 1, PieceSamples)))
        {
            byte[] pixels = [.. piece.SelectMany(sample => sample)];
            byte[] changed = change is null ? pixels : await compute.RunAsync(ComputePriority.Urgent, Dataset, () => change(pixels, piece.Length));
            (Half[] halves, _) = await embedding.EmbedAsync(Dataset, version, changed, piece.Length, ComputePriority.Urgent);
            var floats = new float[halves.Length];
            TensorPrimitives.ConvertToSingle(halves, floats);
            embeddings.AddRange(floats);
        }

        return ([.. embeddings], prototypes);
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

    private sealed record Placed(long Cluster, IReadOnlyDictionary<string, string> Fields);
}
