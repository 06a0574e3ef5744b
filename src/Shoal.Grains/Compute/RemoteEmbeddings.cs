using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Shoal.Contracts;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Compute;

/// <summary>Embeds samples on another silo: for those without the role <c>compute</c>, which never load libtorch.</summary>
/// <param name="grains">Where embedders are asked.</param>
/// <param name="store">Where versions are.</param>
internal sealed class RemoteEmbeddings(IGrainFactory grains, IObjectStore store) : IEmbeddings
{
    // Any key: the activation is one of the silo that answers.
    private const string Embedder = "embedder";

    private readonly ConcurrentDictionary<string, (int Version, Task<Prototypes> Prototypes)> _prototypes = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<(Half[] Embeddings, Prototypes Prototypes)> EmbedAsync(string dataset, PublishedVersion version, byte[] pixels, int count, ComputePriority priority)
    {
        Prototypes prototypes = await PrototypesAsync(dataset, version);
        var samples = new SamplesToEmbed(pixels, count, priority == ComputePriority.Refresh) { IsArrival = priority == ComputePriority.Arrivals };
        EmbeddedSamples embedded = await grains.GetGrain<IEmbedderGrain>(Embedder).EmbedAsync(dataset, version, samples);
        return (MemoryMarshal.Cast<byte, Half>(embedded.Embeddings).ToArray(), prototypes);
    }

    /// <inheritdoc/>
    public Task<Prototypes> PrototypesAsync(string dataset, PublishedVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return _prototypes.AddOrUpdate(
            dataset,
            _ => (version.Version, LoadAsync(version)),
            (_, known) => known.Version == version.Version && !known.Prototypes.IsFaulted ? known : (version.Version, LoadAsync(version))).Prototypes;
    }

    private async Task<Prototypes> LoadAsync(PublishedVersion version) => Prototypes.Read(await TensorFiles.ReadAsync(store, version.Model));
}
