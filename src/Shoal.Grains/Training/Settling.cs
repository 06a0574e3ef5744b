using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Datasets;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>Merges what several seats did in a round, and settles the clusters of what they rehearse together; on the silo of one of them.</summary>
internal static class Settling
{
    /// <summary>Does it.</summary>
    /// <param name="services">What the silo has.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="request">What the seats did.</param>
    /// <exception cref="ShoalException">Overloaded, Unavailable (a part is missing).</exception>
    public static async Task<SettleResult> RunAsync(TrainerServices services, string dataset, DatasetSettings settings, SettleRequest request)
    {
        LearnerOptions options = LearnerSettings.Options(settings);
        (IReadOnlyList<NamedTensor> model, IReadOnlyList<NamedTensor> progress, IReadOnlyList<NamedTensor> replay) = await MergeAsync(services, request, options);
        Task<T> ComputeAsync<T>(Func<T> part) => services.Compute.RunAsync(ComputePriority.Training, dataset, part);
        Embedder? published = request.Published is { } version ? await services.Models.GetAsync(dataset, version) : null;
        Learner learner = await ComputeAsync(() => Learner.ForSettling(LearnerSettings.Shape(settings), options, model, progress, replay, services.Device));
        try
        {
            learner.Between = services.Compute.RunUrgent;
            RefitReport refit = await ComputeAsync(() =>
            {
                if (request.PublishedIsNews)
                {
                    learner.Publish(request.Published!.Clusters);
                }

                return learner.Refit(request.Pinned);
            });
            Evidence evidence = await ComputeAsync(() => learner.Judge(published));
            (SharedParts shared, IReadOnlyList<NamedTensor> candidate) = await ComputeAsync(() => (SharedParts.Of(learner.Settled()), learner.Export()));
            Task<Claim> WriteAsync(string part, IReadOnlyList<NamedTensor> tensors) =>
                TensorFiles.WriteAsync(services.Store, StoreNames.RoundPart(dataset, request.Term, request.Round, part), tensors);
            return new SettleResult(await shared.WriteAsync(WriteAsync), await WriteAsync("candidate", candidate), ClosedRound.Message(evidence, candidate), ClosedRound.Message(refit.Descent));
        }
        finally
        {
            await services.Compute.RunAsync(ComputePriority.Training, dataset, learner.Dispose, CancellationToken.None);
        }
    }

    // Off every turn, without libtorch.
    private static async Task<(IReadOnlyList<NamedTensor> Model, IReadOnlyList<NamedTensor> Progress, IReadOnlyList<NamedTensor> Replay)> MergeAsync(
        TrainerServices services, SettleRequest request, LearnerOptions options)
    {
        Task<IReadOnlyList<NamedTensor>[]> ReadAsync(IEnumerable<Claim> claims) => Task.WhenAll(claims.Select(claim => TensorFiles.ReadAsync(services.Store, claim)));
        SettlePart[] worked = Array.FindAll(request.Parts, part => part.Model is not null);
        IReadOnlyList<NamedTensor>[] models = await ReadAsync(worked.Select(part => part.Model!));
        IReadOnlyList<NamedTensor>[] progresses = await ReadAsync(worked.Select(part => part.Progress));
        IReadOnlyList<NamedTensor>[] replays = await ReadAsync(request.Parts.Select(part => part.Replay));
        IReadOnlyList<NamedTensor> before = request.Clusters is { } clusters ? await TensorFiles.ReadAsync(services.Store, clusters) : progresses[0];
        return await Task.Run(() =>
        {
            var weights = Array.ConvertAll(worked, part => Math.Max(1, part.Weight));
            IReadOnlyList<NamedTensor> shared = [.. Learner.Input([.. progresses.Zip(weights)]), .. Learner.Clusters(before)];
            return (
                ModelAverage.Of([.. models.Zip(weights)]),
                Learner.Progress(progresses[0], shared),
                SharedReplay.Join(replays, options, _ => true));
        });
    }
}
