using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Merges what several seats did in a round, and settles the clusters of what they rehearse together; on the silo of one of them.</summary>
internal static class Settling
{
    /// <summary>Does it.</summary>
    /// <param name="desk">The seat that does.</param>
    /// <param name="request">What the seats did.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ShoalException">Overloaded, Unavailable (a part is missing).</exception>
    public static async Task<SettleResult> RunAsync(SeatDesk desk, SettleRequest request, CancellationToken cancellationToken)
    {
        LearnerOptions options = LearnerSettings.Options(desk.Deal.Settings);
        Merged merged = await MergeAsync(desk, request, options);
        var pinned = await desk.PinnedAsync();
        using ModelLease? published = request.Published is { } version ? await desk.Services.Models.LeaseAsync(desk.Dataset, version) : null;
        Learner learner = await desk.ComputeAsync(
            () => Learner.ForSettling(LearnerSettings.Shape(desk.Deal.Settings), options, merged.Model, merged.Progress, merged.Replay, desk.Services.Device), cancellationToken);
        try
        {
            learner.Between = desk.Services.Compute.RunUrgent;
            RefitReport refit = await desk.ComputeAsync(
                () =>
                {
                    if (request.PublishedIsNews)
                    {
                        learner.Publish(request.Published!.Clusters);
                    }

                    return learner.Refit(pinned);
                },
                cancellationToken);
            Evidence evidence = await desk.ComputeAsync(() => learner.Judge(published?.Embedder), cancellationToken);
            (SharedParts shared, IReadOnlyList<NamedTensor> candidate) = await desk.ComputeAsync(() => (SharedParts.Of(learner.Settled()), learner.Export()), cancellationToken);
            Task<Claim> WriteAsync(string part, IReadOnlyList<NamedTensor> tensors) => desk.WriteAsync(request.Round, $"settled-{request.Attempt:D4}-{part}", tensors, cancellationToken);
            Dictionary<string, Claim> parts = await shared.WriteAsync(WriteAsync);
            if (merged.Outer.Count > 0)
            {
                parts[SharedParts.OuterName] = await WriteAsync(SharedParts.OuterName, merged.Outer);
            }

            return new SettleResult(parts, await WriteAsync("candidate", candidate), ClosedRound.Message(evidence, candidate), ClosedRound.Message(refit.Descent));
        }
        finally
        {
            await desk.Services.Compute.RunAsync(ComputePriority.Training, desk.Dataset, learner.Dispose, CancellationToken.None);
        }
    }

    // Off every turn, without libtorch.
    private static async Task<Merged> MergeAsync(SeatDesk desk, SettleRequest request, LearnerOptions options)
    {
        IObjectStore store = desk.Services.Store;
        Task<IReadOnlyList<NamedTensor>[]> ReadAsync(IEnumerable<Claim> claims) => Task.WhenAll(claims.Select(claim => TensorFiles.ReadAsync(store, claim)));
        SettlePart[] worked = Array.FindAll(request.Parts, part => part.Model is not null);
        IReadOnlyList<NamedTensor>[] models = await ReadAsync(worked.Select(part => part.Model!));
        IReadOnlyList<NamedTensor>[] progresses = await ReadAsync(worked.Select(part => part.Progress));
        IReadOnlyList<NamedTensor>[] replays = await ReadAsync(request.Parts.Select(part => part.Replay));
        IReadOnlyList<NamedTensor> before = request.Clusters is { } clusters ? await TensorFiles.ReadAsync(store, clusters) : progresses[0];
        IReadOnlyList<NamedTensor>? begun = request.Model is { } model ? await TensorFiles.ReadAsync(store, model) : null;
        IReadOnlyList<NamedTensor> speed = request.Outer is { } outer ? await TensorFiles.ReadAsync(store, outer) : [];
        return await Task.Run(() =>
        {
            var weights = Array.ConvertAll(worked, part => Math.Max(1, part.Weight));
            IReadOnlyList<NamedTensor> shared = [.. Learner.Input([.. progresses.Zip(weights)]), .. Learner.Clusters(before)];
            IReadOnlyList<NamedTensor> mean = ModelAverage.Of([.. models.Zip(weights)]);
            var (moved, next) = begun is null ? (mean, []) : OuterStep.Take(begun, mean, speed, LearnerSettings.OuterMomentum(desk.Deal.Settings));
            return new Merged(moved, Learner.Progress(progresses[0], shared), SharedReplay.Join(replays, options, _ => true), next);
        });
    }

    /// <summary>What the seats of a round came to.</summary>
    /// <param name="Model">The part <c>model</c>.</param>
    /// <param name="Progress">The part <c>progress</c> of one of them, with the input statistics of all.</param>
    /// <param name="Replay">The part <c>replay</c> of all.</param>
    /// <param name="Outer">What the outer momentum goes on with; empty without one.</param>
    private sealed record Merged(IReadOnlyList<NamedTensor> Model, IReadOnlyList<NamedTensor> Progress, IReadOnlyList<NamedTensor> Replay, IReadOnlyList<NamedTensor> Outer);
}
