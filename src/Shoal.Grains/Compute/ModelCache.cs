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

    /// <summary>The embedder of a version; loaded at its first use. Its tensors are touched on the compute thread only, and not freed before the lease is given back.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="version">The version.</param>
    public async Task<ModelLease> LeaseAsync(string dataset, PublishedVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        DatasetModels models = _datasets.GetOrAdd(dataset, _ => new DatasetModels());
        Model model = models.Take(version.Version, () => LoadAsync(dataset, version), old => _ = FreeAsync(dataset, old));
        try
        {
            return new ModelLease(await model.Loaded, () => models.GiveBack(model));
        }
        catch
        {
            models.GiveBack(model);
            throw;
        }
    }

    private async Task<Embedder> LoadAsync(string dataset, PublishedVersion version)
    {
        IReadOnlyList<NamedTensor> tensors = await TensorFiles.ReadAsync(store, version.Model);
        return await compute.RunAsync(ComputePriority.Urgent, dataset, () => new Embedder(tensors, options.Device));
    }

    // Nobody uses it, and nobody waits for it.
    private async Task FreeAsync(string dataset, Model old)
    {
        try
        {
            Embedder embedder = await old.Loaded;
            await compute.RunAsync(ComputePriority.Refresh, dataset, embedder.Dispose);
        }
        catch (Exception e) when (e is ShoalException or StorageException or InvalidDataException)
        {
            // It was never loaded; or the queue is full, or has ended: the collector frees it then.
        }
    }

    private sealed class Model(Task<Embedder> loaded, Action<Model> free)
    {
        public Task<Embedder> Loaded { get; } = loaded;

        public int Users { get; set; }

        public bool IsKept { get; set; } = true;

        public void FreeUnlessUsed()
        {
            if (!IsKept && Users == 0)
            {
                free(this);
            }
        }
    }

    private sealed class DatasetModels
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<int, Model> _versions = [];

        public Model Take(int version, Func<Task<Embedder>> load, Action<Model> free)
        {
            lock (_gate)
            {
                // A failed load is tried again by the next caller.
                if (!_versions.TryGetValue(version, out Model? model) || model.Loaded.IsFaulted || model.Loaded.IsCanceled)
                {
                    model = new Model(load(), free);
                    _versions[version] = model;
                }

                model.Users++;
                while (_versions.Count > Kept && _versions.Keys.First() < version)
                {
                    _versions.Remove(_versions.Keys.First(), out Model? oldest);
                    oldest!.IsKept = false;
                    oldest.FreeUnlessUsed();
                }

                return model;
            }
        }

        public void GiveBack(Model model)
        {
            lock (_gate)
            {
                model.Users--;
                model.FreeUnlessUsed();
            }
        }
    }
}

/// <summary>A version in use: it stays until this is disposed of.</summary>
/// <param name="embedder">The version.</param>
/// <param name="giveBack">Called once.</param>
public sealed class ModelLease(Embedder embedder, Action giveBack) : IDisposable
{
    private Action? _giveBack = giveBack;

    /// <summary>The version; for the compute thread.</summary>
    public Embedder Embedder { get; } = embedder;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
