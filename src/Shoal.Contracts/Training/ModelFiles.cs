namespace Shoal.Contracts;

/// <summary>A piece of a version's file.</summary>
/// <param name="Bytes">The bytes from the offset asked for on; empty at the end.</param>
/// <param name="Length">The whole file's length in bytes.</param>
[GenerateSerializer, Immutable, Alias("shoal.model-part")]
public sealed record ModelPart([property: Id(0)] byte[] Bytes, [property: Id(1)] long Length);

/// <summary>A published version without where its parts are kept.</summary>
/// <param name="Version">The version's number, from 1 on.</param>
/// <param name="PublishedAt">When it was published.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Clusters">The cluster id of each slot; 0 for a slot without a cluster.</param>
/// <param name="EncoderVersion">The last version that changed the encoder: embeddings since can be compared with each other.</param>
/// <param name="EncoderHash">SHA-256 of the encoder's tensors, in hexadecimal.</param>
/// <param name="Restores">The earlier version that was taken back into use as this one; null when it was trained.</param>
/// <param name="Bytes">The length of its file of safetensors.</param>
public sealed record ModelDescription(
    int Version, DateTimeOffset PublishedAt, string Reason, long[] Clusters, int EncoderVersion, string EncoderHash, int? Restores, long Bytes)
{
    /// <summary>Describes a version.</summary>
    /// <param name="published">The version.</param>
    public static ModelDescription Of(PublishedVersion published)
    {
        ArgumentNullException.ThrowIfNull(published);
        return new(
            published.Version, published.PublishedAt, published.Reason, published.Clusters, published.EncoderVersion, published.EncoderHash, published.Restores, published.Model.Length);
    }
}
