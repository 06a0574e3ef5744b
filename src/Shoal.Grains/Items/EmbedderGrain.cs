using System.Runtime.InteropServices;
using Orleans.Concurrency;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Grains.Items;

/// <summary>Decodes and embeds bytes by a silo's published models, without storing them.</summary>
/// <param name="settings">What datasets announce.</param>
/// <param name="embedding">Where samples are embedded.</param>
[StatelessWorker(1)]
[Reentrant]
internal sealed class EmbedderGrain(SettingsCache settings, EmbeddingService embedding) : Grain, IEmbedderGrain
{
    // Four batches of the compute thread; larger requests would hold its queue.
    private const int MaxItems = 1_024;

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

        ImageDecoder decoder = MediaSettings.Decoder(known.Settings);
        var pixels = new byte[items.Items.Length * decoder.SampleBytes];
        // Decoding can take milliseconds an item: off the turn, so that other requests go on.
        MediaProblem?[] problems = await Task.Run(() => Decode(decoder, items.Items, pixels));
        (Half[] embeddings, Prototypes prototypes) = await embedding.EmbedAsync(dataset, version, pixels, items.Items.Length, ComputePriority.Urgent);
        return [.. problems.Select((problem, i) => problem is not null
            ? new Classification { State = ItemState.Quarantined, Reason = problem.Message, ModelVersion = version.Version }
            : Classify(known, version, prototypes, embeddings.AsSpan(i * prototypes.Width, prototypes.Width), withEmbeddings))];
    }

    private static MediaProblem?[] Decode(ImageDecoder decoder, ItemUpload[] items, byte[] pixels)
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
        DatasetAnnouncement known, PublishedVersion version, Prototypes prototypes, ReadOnlySpan<Half> embedding, bool withEmbedding)
    {
        (var slot, var confidence) = prototypes.Assign(embedding);
        var cluster = known.Directory?.Resolve(version.Clusters[slot]) ?? version.Clusters[slot];
        return new Classification
        {
            State = ItemState.Assigned,
            Cluster = cluster,
            ClusterName = known.Directory?.NameOf(cluster),
            Confidence = confidence,
            ModelVersion = version.Version,
            Embedding = withEmbedding ? MemoryMarshal.AsBytes(embedding).ToArray() : null,
        };
    }
}
