using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Builds the learner that a deal begins from, however many seats the checkpoint had and however many there are now.</summary>
internal static class LearnerBeginning
{
    /// <summary>Builds it.</summary>
    /// <param name="desk">The seat.</param>
    /// <param name="bank">The keys of all replicas.</param>
    /// <param name="cancellationToken">Ends the wait for the compute thread.</param>
    /// <exception cref="ShoalException">Unavailable: a part of the checkpoint is missing.</exception>
    public static async Task<Learner> BuildAsync(SeatDesk desk, BankState bank, CancellationToken cancellationToken)
    {
        Deal deal = desk.Deal;
        SampleShape shape = LearnerSettings.Shape(deal.Settings);
        if (deal.Checkpoint.Count == 0)
        {
            StoredObject? first = await desk.Services.Store.GetAsync(StoreNames.FirstWeights(desk.Dataset), cancellationToken);
            return await desk.ComputeAsync(() => Begin(shape, desk, first?.Content), cancellationToken);
        }

        SharedParts? shared = deal.Shares.Length == 0 ? null : await SharedParts.ReadAsync(desk.Services.Store, deal.Checkpoint);
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = shared is null ? await ReadAsync(desk, deal.Checkpoint) : await JoinedAsync(desk, shared);
        if (shared is null && deal.Seats > 1)
        {
            parts["replay"] = SharedReplay.Join([parts["replay"]], desk.Options, Own(deal).Contains);
        }

        return await desk.ComputeAsync(
            () =>
            {
                Learner learner = Learner.Restore(shape, desk.Options, parts, bank, desk.Services.Device);
                if (shared is not null)
                {
                    learner.Adopt(shared.Settlement(), bank);
                }

                return learner;
            },
            cancellationToken);
    }

    private static Learner Begin(SampleShape shape, SeatDesk desk, byte[]? weights)
    {
        var learner = new Learner(shape, desk.Options, desk.Services.Device);
        if (weights is not null)
        {
            learner.BeginWith(TensorFiles.Read(weights));
        }

        return learner;
    }

    // What seats kept of their own goes with their shards to those who have these now; moments and counts to whoever has their place.
    private static async Task<Dictionary<string, IReadOnlyList<NamedTensor>>> JoinedAsync(SeatDesk desk, SharedParts shared)
    {
        Deal deal = desk.Deal;
        HashSet<int> own = Own(deal);
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = await ReadAsync(desk, deal.Shares[deal.Seat % deal.Shares.Length].Parts);
        var replays = new List<IReadOnlyList<NamedTensor>>();
        foreach (SeatShare share in deal.Shares.Where(share => share.Shards.Any(own.Contains)))
        {
            replays.Add(await TensorFiles.ReadAsync(desk.Services.Store, share.Parts["replay"]));
        }

        parts["model"] = shared.Model;
        if (deal is { Seats: 1, Progress: { } together })
        {
            // From here on one learner counts for all.
            parts["progress"] = Learner.Progress(Learner.Counts(together.Steps, together.Samples, together.BackwardPasses), parts["progress"]);
        }

        parts["replay"] = SharedReplay.Join(replays.Count > 0 ? replays : [parts["replay"]], desk.Options, own.Contains);
        return parts;
    }

    private static HashSet<int> Own(Deal deal) => [.. deal.Cursors.Select(cursor => cursor.Shard)];

    private static async Task<Dictionary<string, IReadOnlyList<NamedTensor>>> ReadAsync(SeatDesk desk, Dictionary<string, Claim> claims)
    {
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = new(StringComparer.Ordinal);
        foreach ((var name, Claim claim) in claims)
        {
            parts[name] = await TensorFiles.ReadAsync(desk.Services.Store, claim);
        }

        return parts;
    }
}
