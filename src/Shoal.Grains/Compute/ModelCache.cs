using System.Collections.Concurrent;
using Shoal.Contracts;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Compute;

/// <summary>Keeps the published versions that a silo embeds by, loaded on its compute thread.</summary>
/// <param name="store">Where versions are.</param>
/// <param name="compute">The thread that loads and frees them.</param>
/// <param name="options">Says which device they live on.</param>
public sealed class ModelCache(IObjectStore store, ComputeThread compute, ComputeOptions options)
{
    // The published version, and the one before it while requests for it are still under way.
    private const int Kept = 2;

    private readonly ConcurrentDictionary<string, DatasetModels> _datasets = new(StringComparer.Ordinal);

    /// <summary>The embedder of a version; loaded at its first use. Its tensors are touched on the compute thread only.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="version">The version.</param>
    public Task<Embedder> GetAsync(string dataset, PublishedVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return _datasets.GetOrAdd(dataset, _ => new DatasetModels()).GetAsync(version.Version, () => LoadAsync(dataset, version), (old, next) => DisposeAsync(dataset, old, next));
    }

    private async Task<Embedder> LoadAsync(string dataset, PublishedVersion version)
    {
        IReadOnlyList<NamedTensor> tensors = await TensorFiles.ReadAsync(store, version.Model);
        return await compute.RunAsync(ComputePriority.Urgent, dataset, () => new Embedder(tensors, options.Device));
    }

    // Nobody waits for it: once the new version is there, behind every request that was queued for the old one, since urgent requests are served in order.
    private async Task DisposeAsync(string dataset, Task<Embedder> old, Task<Embedder> next)
    {
        try
        {
            await next;
            Embedder embedder = await old;
            await compute.RunAsync(ComputePriority.Refresh, dataset, embedder.Dispose);
        }
        catch (Exception e) when (e is ShoalException or StorageException or InvalidDataException or OperationCanceledException)
        {
            // It was never loaded; or the queue is full, or has ended: the collector frees it then.
        }
    }

    private sealed class DatasetModels
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<int, Task<Embedder>> _versions = [];

        public Task<Embedder> GetAsync(int version, Func<Task<Embedder>> load, Func<Task<Embedder>, Task<Embedder>, Task> dispose)
        {
            lock (_gate)
            {
                // A failed load is tried again by the next caller.
                if (!_versions.TryGetValue(version, out Task<Embedder>? task) || task.IsFaulted || task.IsCanceled)
                {
                    task = load();
                    _versions[version] = task;
                }

                while (_versions.Count > Kept && _versions.Keys.First() < version)
                {
                    _versions.Remove(_versions.Keys.First(), out Task<Embedder>? oldest);
                    _ = dispose(oldest!, task);
                }

                return task;
            }
        }
    }
}
