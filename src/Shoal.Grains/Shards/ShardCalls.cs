using Shoal.Contracts;

namespace Shoal.Grains.Shards;

/// <summary>Calls all shards of a dataset where one whose log is damaged must not keep the others from their work.</summary>
internal static class ShardCalls
{
    /// <summary>What the shards answer, without those that are damaged.</summary>
    /// <param name="shards">The shards, or what stands for one.</param>
    /// <param name="ask">The question.</param>
    /// <exception cref="ShoalException">A shard is away for another reason.</exception>
    public static async Task<T[]> UsableAsync<TShard, T>(this IEnumerable<TShard> shards, Func<TShard, Task<T>> ask)
    {
        (bool Usable, T Answer)[] answers = await Task.WhenAll(shards.Select(async shard =>
        {
            try
            {
                return (true, await ask(shard));
            }
            catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
            {
                // Its status says so, until it is repaired.
                return (false, default(T)!);
            }
        }));
        return [.. answers.Where(answer => answer.Usable).Select(answer => answer.Answer)];
    }

    /// <summary>Tells the shards something, but for those that are damaged.</summary>
    /// <param name="shards">The shards.</param>
    /// <param name="tell">What.</param>
    public static Task TellUsableAsync(this IEnumerable<IShardGrain> shards, Func<IShardGrain, Task> tell) => shards.UsableAsync(async shard =>
    {
        await tell(shard);
        return true;
    });
}
