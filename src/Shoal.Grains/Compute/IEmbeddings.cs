using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Compute;

/// <summary>Embeds samples by published versions, on this silo or on one with the role <c>compute</c>.</summary>
public interface IEmbeddings
{
    /// <summary>Embeds samples.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="version">The version to embed by.</param>
    /// <param name="pixels">uint8 samples, [count, C, H, W].</param>
    /// <param name="count">How many samples, at most 4,096.</param>
    /// <param name="priority">How soon.</param>
    /// <returns>Embeddings, [count, width], float16, L2-normalised, and the version's prototypes.</returns>
    /// <exception cref="ShoalException">Overloaded: more waits than the compute thread's queue holds. Unavailable: no silo computes.</exception>
    Task<(Half[] Embeddings, Prototypes Prototypes)> EmbedAsync(string dataset, PublishedVersion version, byte[] pixels, int count, ComputePriority priority);

    /// <summary>A version's prototypes, which assign stored embeddings without libtorch.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="version">The version.</param>
    Task<Prototypes> PrototypesAsync(string dataset, PublishedVersion version);
}
