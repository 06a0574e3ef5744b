using Shoal.Grains.Shards;

namespace Shoal.Grains.Tests;

public sealed class ShardMovesTests
{
    [Theory]
    // A silo joined: it takes from both, until one more would be of no use.
    [InlineData("AAABBB", "ABC", 2)]
    [InlineData("AAAABB", "ABC", 2)]
    [InlineData("AAAAAA", "AB", 3)]
    // Even enough.
    [InlineData("AAABB", "AB", 0)]
    [InlineData("AB", "ABC", 0)]
    [InlineData("AAAA", "A", 0)]
    // One that is open nowhere, or where nobody is any more, is placed when it opens.
    [InlineData("AAAA..Z", "AB", 2)]
    [InlineData("", "AB", 0)]
    [InlineData("AA", "", 0)]
    public void As_few_shards_move_as_even_out_the_silos(string places, string silos, int moves)
    {
        string?[] places0 = [.. places.Select(place => place == '.' ? null : $"{place}")];
        IReadOnlyList<(int Shard, string To)> found = ShardMoves.Even(places0, [.. silos.Select(silo => $"{silo}")]);
        Assert.Equal(moves, found.Count);
        foreach (var (shard, to) in found)
        {
            places0[shard] = to;
        }

        int[] counts = [.. silos.Select(silo => places0.Count(place => place?[0] == silo))];
        Assert.True(counts.Length == 0 || counts.Max() - counts.Min() < 2, string.Join(' ', counts));
    }
}
