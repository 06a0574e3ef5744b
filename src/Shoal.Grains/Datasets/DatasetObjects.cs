using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>All that a dataset has in a store.</summary>
internal static class DatasetObjects
{
    /// <summary>Removes what a dataset has in a store, its settings first.</summary>
    /// <param name="store">The store.</param>
    /// <param name="dataset">The dataset.</param>
    /// <returns>How many objects were removed.</returns>
    public static async Task<int> RemoveAsync(IObjectStore store, string dataset)
    {
        await store.DeleteAsync(StoreNames.Dataset(dataset));
        var removed = 0;
        await foreach (ObjectInfo info in store.ListAsync(StoreNames.DatasetRoot(dataset)))
        {
            await store.DeleteAsync(info.Name);
            removed++;
        }

        return removed;
    }
}
