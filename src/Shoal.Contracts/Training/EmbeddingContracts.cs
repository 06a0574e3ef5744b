using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>Samples for a silo that computes.</summary>
/// <param name="pixels">The samples.</param>
/// <param name="count">How many.</param>
/// <param name="isRefresh">Whether they may wait.</param>
[GenerateSerializer, Immutable, Alias("shoal.samples-to-embed")]
public sealed class SamplesToEmbed(byte[] pixels, int count, bool isRefresh)
{
    /// <summary>uint8 samples, [<see cref="Count"/>, C, H, W].</summary>
    [Id(0)] public byte[] Pixels { get; } = pixels;

    /// <summary>How many, 1 to 4,096.</summary>
    [Id(1)] public int Count { get; } = count;

    /// <summary>Whether old assignments are refreshed by them: nobody waits for these, and they take only their share of the time.</summary>
    [Id(2)] public bool IsRefresh { get; } = isRefresh;

    /// <summary>Whether they are assigned for the first time: training keeps its share of the time beside these.</summary>
    [Id(3)] public bool IsArrival { get; init; }
}

/// <summary>Embeddings of samples.</summary>
/// <param name="embeddings">The embeddings.</param>
[GenerateSerializer, Immutable, Alias("shoal.embedded-samples")]
public sealed class EmbeddedSamples(byte[] embeddings)
{
    /// <summary>float16, little-endian, [count, width], L2-normalised.</summary>
    [Id(0)] public byte[] Embeddings { get; } = embeddings;
}

/// <summary>Decoding and embedding of bytes by a silo's published models. Key: any; one activation a silo answers.</summary>
[Alias("shoal.embedder")]
public interface IEmbedderGrain : IGrainWithStringKey
{
    /// <summary>Says what the published version makes of bytes, without storing them.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">The bytes; ids are not looked at.</param>
    /// <param name="withEmbeddings">Whether to return embeddings.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Overloaded.</exception>
    [AlwaysInterleave, Alias("classify")]
    Task<Classification[]> ClassifyAsync(string dataset, ItemBatch items, bool withEmbeddings);

    /// <summary>The cluster of each of some items in a version, whether it is announced yet or not; 0 where none fits.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="version">The version.</param>
    /// <param name="items">The bytes; ids are not looked at.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Overloaded.</exception>
    [AlwaysInterleave, Alias("place")]
    Task<long[]> PlaceAsync(string dataset, PublishedVersion version, ItemBatch items);

    /// <summary>Embeds samples by a version: asked by silos that do not compute.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="version">The version.</param>
    /// <param name="samples">The samples.</param>
    /// <exception cref="ShoalException">Overloaded.</exception>
    [AlwaysInterleave, Alias("embed")]
    Task<EmbeddedSamples> EmbedAsync(string dataset, PublishedVersion version, SamplesToEmbed samples);

    /// <summary>Why a dataset's encoder cannot begin with some weights; null when it can.</summary>
    /// <param name="settings">The dataset's settings.</param>
    /// <param name="weights">A safetensors file.</param>
    [AlwaysInterleave, Alias("weights")]
    Task<string?> WeightsProblemAsync(DatasetSettings settings, byte[] weights);
}
