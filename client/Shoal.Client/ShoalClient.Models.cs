using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Models as files.</content>
public sealed partial class ShoalClient
{
    /// <summary>Bytes of a model in one call: a message of middle size.</summary>
    private const int ModelPartBytes = 1024 * 1024;

    /// <summary>The published version, or an earlier one that can be taken back into use.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="version">The version's number; null for the published one.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset, no version yet, or the version is not kept), Unavailable.</exception>
    public async Task<ModelDescription> ModelAsync(string dataset, int? version = null, CancellationToken cancellationToken = default)
    {
        PublishedVersion[] kept = await VersionsAsync(dataset, cancellationToken);
        if (kept.Length == 0)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"The dataset '{dataset}' has no model version yet.");
        }

        return ModelDescription.Of(version is null ? kept[0] : Array.Find(kept, v => v.Version == version) ?? throw NotKept(version.Value, kept));
    }

    /// <summary>Writes a version's file, as safetensors; a megabyte of it is held.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="version">The version's number.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset, or the version is not kept, or no more), Unavailable.</exception>
    public async Task DownloadModelAsync(string dataset, int version, Stream output, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        await RouteAsync(dataset, cancellationToken);
        IModelGrain model = _cluster.GetGrain<IModelGrain>(dataset);
        ModelPart part;
        long at = 0;
        do
        {
            long from = at;
            part = await CallAsync(() => model.ReadVersionAsync(version, from, ModelPartBytes), cancellationToken);
            await output.WriteAsync(part.Bytes, cancellationToken);
            at += part.Bytes.Length;
        }
        while (at < part.Length);
    }

    private static ShoalException NotKept(int version, PublishedVersion[] kept) =>
        new(ShoalErrorKind.NotFound, $"Version {version} is not kept; there are: {string.Join(", ", kept.Select(v => v.Version))}.");
}
