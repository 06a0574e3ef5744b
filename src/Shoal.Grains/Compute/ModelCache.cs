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
        return _datasets.GetOrAdd(dataset, _ => new DatasetModels()).GetAsync(version.Version, () => LoadAsync(dataset, version), old => DisposeAsync(dataset, old));
    }

    private async Task<Embedder> LoadAsync(string dataset, PublishedVersion version)
    {
        IReadOnlyList<NamedTensor> tensors = await TensorFiles.ReadAsync(store, version.Model);
        return await compute.RunAsync(ComputePriority.Urgent, dataset, () => new Embedder(tensors, options.Device));
    }

    private async Task DisposeAsync(string dataset, Task<Embedder> old)
    {
        if (old.IsCompletedSuccessfully)
        {
            Embedder embedder = await old;
            // Behind every request that was queued for it: urgent requests are served in order.
            await compute.RunAsync(ComputePriority.Refresh, dataset, embedder.Dispose);
        }
    }

    private sealed class DatasetModels
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<int, Task<Embedder>> _versions = [];

        public Task<Embedder> GetAsync(int version, Func<Task<Embedder>> load, Func<Task<Embedder>, Task> dispose)
        {
            Task<Embedder> task;
            List<Task<Embedder>> old = [];
            lock (_gate)
            {
                // A failed load is tried again by the next caller.
                if (!_versions.TryGetValue(version, out task!) || task.IsFaulted || task.IsCanceled)
                {
                    task = load();
                    _versions[version] = task;
                }

                while (_versions.Count > Kept && _versions.Keys.First() < version)
                {
                    var oldest = _versions.Keys.First();
                    old.Add(_versions[oldest]);
                    _versions.Remove(oldest);
                }
            }

            return old.Count == 0 ? task : WithDisposalAsync(task, old, dispose);
        }

        private static async Task<Embedder> WithDisposalAsync(Task<Embedder> wanted, List<Task<Embedder>> old, Func<Task<Embedder>, Task> dispose)
        {
            Embedder embedder = await wanted;
            foreach (Task<Embedder> task in old)
            {
                await dispose(task);
            }

            return embedder;
        }
    }
}
