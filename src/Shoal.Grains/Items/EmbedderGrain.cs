using System.Runtime.InteropServices;
using Orleans.Concurrency;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Silos;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Grains.Items;

/// <summary>Decodes and embeds bytes by a silo's published models, without storing them.</summary>
/// <param name="settings">What datasets announce.</param>
/// <param name="embedding">Where samples are embedded.</param>
/// <param name="compute">The thread that knows encoders.</param>
[StatelessWorker(1)]
[RequiresRole(SiloRoles.Compute)]
[Reentrant]
internal sealed class EmbedderGrain(SettingsCache settings, EmbeddingService embedding, ComputeThread compute) : Grain, IEmbedderGrain
{
    // Four batches of the compute thread; larger requests would hold its queue.
    private const int MaxItems = 1_024;
    private const int MaxSamples = 4_096;

    /// <inheritdoc/>
    public async Task<Classification[]> ClassifyAsync(string dataset, ItemBatch items, bool withEmbeddings)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Items.Length > MaxItems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"{items.Items.Length} items in one request; send at most {MaxItems:N0}.");
        }

        DatasetAnnouncement known = await settings.GetAnnouncementAsync(dataset);
        if (known.Version is not { } version)
        {
            return [.. items.Items.Select(_ => new Classification { State = ItemState.Pending, Reason = "No model version is published yet; try again later." })];
        }

        (MediaProblem?[] problems, Half[] embeddings, Prototypes prototypes) = await EmbedAsync(dataset, known.Settings, version, items);
        // Not what is remembered: an edit of clusters holds as soon as it is acknowledged.
        ClusterDirectory directory = await GrainFactory.GetGrain<IClustersGrain>(dataset).GetDirectoryAsync();
        return [.. problems.Select((problem, i) => problem is not null
            ? new Classification { State = ItemState.Quarantined, Reason = problem.Message, ModelVersion = version.Version }
            : Classify(directory, version, prototypes, embeddings.AsSpan(i * prototypes.Width, prototypes.Width), withEmbeddings))];
    }

    /// <inheritdoc/>
    public async Task<long[]> PlaceAsync(string dataset, PublishedVersion version, ItemBatch items)
    {
        ArgumentNullException.ThrowIfNull(items);
        (MediaProblem?[] problems, Half[] embeddings, Prototypes prototypes) = await EmbedAsync(dataset, await settings.GetAsync(dataset), version, items);
        return [.. problems.Select((problem, i) => problem is null && prototypes.Assign(embeddings.AsSpan(i * prototypes.Width, prototypes.Width)) is { IsOutlier: false } placed
            ? version.Clusters[placed.Slot]
            : 0)];
    }

    /// <inheritdoc/>
    public async Task<EmbeddedSamples> EmbedAsync(string dataset, PublishedVersion version, SamplesToEmbed samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.Count is < 1 or > MaxSamples)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"{samples.Count} samples in one request; send 1 to {MaxSamples:N0}.");
        }

        ComputePriority priority = samples.IsRefresh ? ComputePriority.Refresh : samples.IsArrival ? ComputePriority.Arrivals : ComputePriority.Urgent;
        (Half[] embeddings, _) = await embedding.EmbedAsync(dataset, version, samples.Pixels, samples.Count, priority);
        return new EmbeddedSamples(MemoryMarshal.AsBytes(embeddings.AsSpan()).ToArray());
    }

    /// <inheritdoc/>
    public async Task<string?> WeightsProblemAsync(DatasetSettings settings, byte[] weights)
    {
        IReadOnlyList<NamedTensor> model;
        try
        {
            model = TensorFiles.Read(weights);
        }
        catch (InvalidDataException e)
        {
            return $"The weights are no safetensors file: {e.Message}";
        }

        return await compute.RunAsync(ComputePriority.Urgent, string.Empty, () => FirstWeights.Misfit(LearnerSettings.Shape(settings), LearnerSettings.Options(settings), model));
    }

    private async Task<(MediaProblem?[] Problems, Half[] Embeddings, Prototypes Prototypes)> EmbedAsync(
        string dataset, DatasetSettings known, PublishedVersion version, ItemBatch items)
    {
        ISampleDecoder decoder = MediaSettings.Decoder(known);
        var pixels = new byte[items.Items.Length * decoder.SampleBytes];
        // Decoding can take milliseconds an item: off the turn, so that other requests go on.
        MediaProblem?[] problems = await Task.Run(() => Decode(decoder, items.Items, pixels));
        (Half[] embeddings, Prototypes prototypes) = await embedding.EmbedAsync(dataset, version, pixels, items.Items.Length, ComputePriority.Urgent);
        return (problems, embeddings, prototypes);
    }

    private static MediaProblem?[] Decode(ISampleDecoder decoder, ItemUpload[] items, byte[] pixels)
    {
        var problems = new MediaProblem?[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            Span<byte> sample = pixels.AsSpan(i * decoder.SampleBytes, decoder.SampleBytes);
            if (decoder.Check(items[i].MediaType, items[i].Bytes) is { } problem || !decoder.TryDecode(items[i].MediaType, items[i].Bytes, sample, out problem))
            {
                problems[i] = problem;
            }
        }

        return problems;
    }

    private static Classification Classify(
        ClusterDirectory directory, PublishedVersion version, Prototypes prototypes, ReadOnlySpan<Half> embedding, bool withEmbedding)
    {
        Placement placed = prototypes.Assign(embedding);
        long? cluster = placed.IsOutlier ? null : directory.Resolve(version.Clusters[placed.Slot]);
        return new Classification
        {
            State = placed.IsOutlier ? ItemState.Outlier : ItemState.Assigned,
            Cluster = cluster,
            ClusterName = cluster is { } known ? directory.NameOf(known) : null,
            Confidence = placed.IsOutlier ? 0 : placed.Confidence,
            Distance = placed.Distance,
            ModelVersion = version.Version,
            Embedding = withEmbedding ? MemoryMarshal.AsBytes(embedding).ToArray() : null,
        };
    }
}
