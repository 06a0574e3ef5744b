using Shoal.Grains.Silos;
using Shoal.Grains.Training;

namespace Shoal.Grains.Tests;

public sealed class DealingTests
{
    [Fact]
    public void Equal_seats_have_equally_many_shards_in_turn() =>
        Assert.Equal(new short[] { 0, 1, 2, 0, 1, 2, 0 }, Dealing.Of(7, [1, 1, 1]));

    [Fact]
    public void A_seat_of_half_the_weight_has_half_as_many()
    {
        var counts = Dealing.Of(30, [1, 0.5, 1]).CountBy(seat => seat).ToDictionary();
        Assert.Equal((12, 6, 12), (counts[0], counts[1], counts[2]));
    }

    [Theory]
    [InlineData(3, 0.01)]
    [InlineData(16, 0.0001)]
    public void Every_seat_has_a_shard_however_slow_it_is(int shards, double slow) =>
        Assert.Equal(3, Dealing.Of(shards, [1, slow, 1]).Distinct().Count());

    [Fact]
    public void More_seats_than_shards_cannot_be_dealt() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Dealing.Of(1, [1, 1]));

    [Theory]
    [InlineData("compute", SiloRoles.Compute, "compute")]
    [InlineData(" Data , gateway ", SiloRoles.Data | SiloRoles.Gateway, "gateway,data")]
    [InlineData("gateway,data,compute", SiloRoles.All, "gateway,data,compute")]
    public void Roles_are_words_with_commas(string text, SiloRoles roles, string written)
    {
        Assert.Equal(roles, SiloRoleNames.Parse(text));
        Assert.Equal(written, SiloRoleNames.Format(roles));
    }

    [Theory]
    [InlineData("learn", "'learn' is no role of a silo; there are: gateway,data,compute.")]
    [InlineData("data,none", "'none' is no role of a silo; there are: gateway,data,compute.")]
    [InlineData("", "A silo needs at least one role of: gateway,data,compute.")]
    public void What_is_no_role_is_named(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => SiloRoleNames.Parse(text)).Message);
}
