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
}

/// <summary>Embeddings of samples.</summary>
/// <param name="embeddings">The embeddings.</param>
[GenerateSerializer, Immutable, Alias("shoal.embedded-samples")]
public sealed class EmbeddedSamples(byte[] embeddings)
{
    /// <summary>float16, little-endian, [count, width], L2-normalised.</summary>
    [Id(0)] public byte[] Embeddings { get; } = embeddings;
}
