using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Shards;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>Lets a learner forget samples of items that were deleted or replaced since.</summary>
/// <remarks>Shards are asked for what the learner holds, and not told to tell: nothing can be missed, whatever was restored from whichever checkpoint.</remarks>
internal sealed class GoneSamples(TrainerServices services, string dataset)
{
    // A deleted item is trained on no longer than this: 16 calls and 44 KB for 5,500 samples each time.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private long _looked;

    /// <summary>Whether it is time to look again.</summary>
    public bool IsDue => services.Time.GetElapsedTime(_looked) >= Interval;

    /// <summary>Asks the shards, one call each, and forgets.</summary>
    /// <param name="learner">The learner; not in use.</param>
    /// <param name="cancellationToken">Ends the wait for the compute thread.</param>
    /// <returns>How many samples it rehearsed or held out that it has forgotten.</returns>
    /// <exception cref="ShoalException">A shard is away. One that is damaged is passed over: what is gone of it is known again once it is repaired.</exception>
    public async Task<int> ForgetAsync(Learner learner, CancellationToken cancellationToken)
    {
        _looked = services.Time.GetTimestamp();
        IReadOnlyCollection<long> held = await services.Compute.RunAsync(ComputePriority.Training, dataset, learner.HeldSamples, cancellationToken);
        IEnumerable<long>[] found = await held.Select(SampleKey.Unpack).ToLookup(key => key.Shard, key => key.Sequence).UsableAsync(async shard =>
        {
            var gone = await services.Grains.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, shard.Key)).GetGoneAsync([.. shard]);
            return gone.Select(sequence => new SampleKey(shard.Key, sequence).Packed);
        });
        HashSet<long> all = [.. found.SelectMany(keys => keys)];
        return all.Count == 0 ? 0 : await services.Compute.RunAsync(ComputePriority.Training, dataset, () => learner.Forget(all), cancellationToken);
    }
}
