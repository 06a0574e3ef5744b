using Shoal.Contracts;

namespace Shoal.Grains.Items;

/// <summary>The façade of one item: owns nothing, asks the shard.</summary>
/// <param name="settings">Which shard that is.</param>
[CollectionAgeLimit(Minutes = 2)]
internal sealed class ItemGrain(SettingsCache settings) : Grain, IItemGrain
{
    /// <inheritdoc/>
    public async Task<ItemAnswer> GetAsync()
    {
        (var dataset, var id) = GrainKeys.Split(this.GetPrimaryKeyString());
        if (Names.ItemIdProblem(id) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        DatasetSettings known = await settings.GetAsync(dataset);
        return await GrainFactory.GetGrain<IShardGrain>(GrainKeys.Shard(dataset, ItemKey.Of(id).Shard(known.Shards))).GetAsync(id);
    }
}
