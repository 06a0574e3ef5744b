using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Grains.Tests;

public sealed class ModelCacheTests
{
    private static readonly SampleShape Shape = new(1, 8, 8);

    [Fact]
    public async Task A_version_in_use_is_not_freed_and_nobody_waits_until_one_is()
    {
        using var folder = new TempFolder();
        var store = new FileObjectStore(folder.Path);
        using var thread = new ComputeThread(new ComputeOptions { IntraOpThreads = 1 }, TimeProvider.System, NullLogger<ComputeThread>.Instance);
        var cache = new ModelCache(store, thread, new ComputeOptions());
        IReadOnlyList<NamedTensor> model = await thread.RunAsync(ComputePriority.Training, "d", () =>
        {
            using var learner = new Learner(Shape, new LearnerOptions());
            return learner.Export();
        });
        var versions = new PublishedVersion[6];
        for (var i = 0; i < versions.Length; i++)
        {
            versions[i] = new PublishedVersion { Version = i + 1, Model = await TensorFiles.WriteAsync(store, $"model-{i}", model), Clusters = [1] };
        }

        ModelLease first = await cache.LeaseAsync("d", versions[0]);
        Embedder forgotten;
        using (ModelLease second = await cache.LeaseAsync("d", versions[1]))
        {
            forgotten = second.Embedder;
        }

        foreach (PublishedVersion version in versions[2..])
        {
            (await cache.LeaseAsync("d", version)).Dispose();
        }

        // Behind what waits to be freed. The first is in use; the second is not.
        await thread.RunAsync(ComputePriority.Refresh, "d", () => { });
        await thread.RunAsync(ComputePriority.Urgent, "d", () => first.Embedder.Embed(new byte[Shape.Size], 1, new Half[first.Embedder.Width]));
        await Assert.ThrowsAnyAsync<Exception>(() => EmbedAsync(forgotten));

        Embedder used = first.Embedder;
        first.Dispose();
        first.Dispose();
        await thread.RunAsync(ComputePriority.Refresh, "d", () => { });
        await Assert.ThrowsAnyAsync<Exception>(() => EmbedAsync(used));

        // A file that is not there fails its callers only, and is tried again.
        var missing = versions[5] with { Version = 9, Model = versions[5].Model with { Name = "missing" } };
        await Assert.ThrowsAsync<ShoalException>(() => cache.LeaseAsync("d", missing));
        using ModelLease again = await cache.LeaseAsync("d", missing with { Model = versions[5].Model });
        await EmbedAsync(again.Embedder);

        Task EmbedAsync(Embedder embedder) => thread.RunAsync(ComputePriority.Urgent, "d", () => embedder.Embed(new byte[Shape.Size], 1, new Half[embedder.Width]));
    }
}
