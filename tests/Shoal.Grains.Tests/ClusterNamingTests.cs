using Shoal.Contracts;
using Shoal.Grains.Clusters;

namespace Shoal.Grains.Tests;

public sealed class ClusterNamingTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private static readonly Dictionary<string, long> Nobody = new(StringComparer.Ordinal);

    private static PublishedVersion Version(int number, params long[] clusters) => new() { Version = number, Model = new Claim("m", 1), Clusters = clusters };

    private static ClusterFate Born(long cluster) => new(cluster, "born", null, "new");

    private static readonly ClusterRegistry Three = ClusterRegistry.Empty.Register(Version(1, 1, 2, 3), [Born(1), Born(2), Born(3)], Now);

    private static ClusterEdits Named(ClusterEdits edits, long cluster, string name, params string[] examples) =>
        edits.Name(cluster, name, [.. examples], ClusterNaming.Bearers(edits, Three));

    [Fact]
    public void A_name_is_given_taken_over_only_when_free_and_taken_away()
    {
        ClusterEdits edits = Named(ClusterEdits.None, 1, " seven ");
        Assert.Equal("seven", ClusterNaming.Directory(edits, Three).NameOf(1));
        Assert.Equal(ShoalErrorKind.Conflict, Assert.Throws<ShoalException>(() => Named(edits, 2, "seven")).Kind);
        Assert.Equal(ShoalErrorKind.Invalid, Assert.Throws<ShoalException>(() => Named(edits, 2, new string('x', 101))).Kind);
        Assert.Equal("eight", ClusterNaming.Directory(Named(edits, 1, "eight"), Three).NameOf(1));
        Assert.Empty(Named(edits, 1, "").Names);
        Assert.Equal(2, Named(edits, 1, "").Revision);
    }

    [Fact]
    public void Clusters_are_registered_once_and_keep_the_version_that_they_were_born_in()
    {
        Assert.Equal(1, Three.Lives[1].Born);
        Assert.Equal(3, Three.Events.Length);
        Assert.Same(Three, Three.Register(Version(1, 1, 2, 3), [Born(9)], Now));
        Assert.Equal(1, Three.Register(Version(2, 1, 2, 3), [], Now).Lives[1].Born);
    }

    [Fact]
    public void A_cluster_that_a_version_merged_answers_as_the_other_and_comes_back_with_a_rollback()
    {
        ClusterRegistry merged = Three.Register(Version(2, 1, 3), [new ClusterFate(2, "merged", 1, "most of it is there")], Now);
        Assert.Equal(1, ClusterNaming.Directory(ClusterEdits.None, merged).Resolve(2));
        ClusterRegistry again = merged.Register(Version(3, 1), [new ClusterFate(1, "merged", 3, "most of it is there")], Now);
        Assert.Equal(3, ClusterNaming.Directory(ClusterEdits.None, again).Resolve(2));
        ClusterRegistry back = again.Register(Version(4, 1, 2, 3), [new ClusterFate(1, "restored", null, "r"), new ClusterFate(2, "restored", null, "r")], Now);
        Assert.Empty(ClusterNaming.Directory(ClusterEdits.None, back).Redirects);
        Assert.Equal(1, back.Lives[2].Born);
    }

    [Fact]
    public void A_merge_by_hand_holds_until_its_target_is_gone_and_can_be_taken_back()
    {
        ClusterEdits edits = ClusterEdits.None.Merge(2, 1, Nobody);
        Assert.Equal(1, ClusterNaming.Directory(edits, Three).Resolve(2));
        Assert.Equal(2, ClusterNaming.Directory(edits.Unmerge(2), Three).Resolve(2));
        Assert.Equal(ShoalErrorKind.NotFound, Assert.Throws<ShoalException>(() => edits.Unmerge(3)).Kind);

        ClusterRegistry dead = Three.Register(Version(2, 2, 3), [new ClusterFate(1, "died", null, "gone")], Now);
        Assert.Equal(2, ClusterNaming.Directory(edits, dead).Resolve(2));

        // A version merged them the other way round: no circle.
        ClusterRegistry turned = Three.Register(Version(2, 2, 3), [new ClusterFate(1, "merged", 2, "most of it is there")], Now);
        Assert.Equal([2, 2], [ClusterNaming.Directory(edits, turned).Resolve(1), ClusterNaming.Directory(edits, turned).Resolve(2)]);
    }

    [Fact]
    public void Of_two_named_clusters_that_are_merged_one_name_stays()
    {
        ClusterEdits edits = Named(Named(ClusterEdits.None, 1, "seven"), 2, "two");
        ClusterEdits merged = edits.Merge(2, 1, ClusterNaming.Bearers(edits, Three));
        Assert.Equal(["seven"], merged.Names.Select(n => n.Name));

        // The name of the one that goes is taken along where the other has none.
        ClusterEdits unnamed = edits.Merge(2, 3, ClusterNaming.Bearers(edits, Three));
        Assert.Equal("two", ClusterNaming.Directory(unnamed, Three).NameOf(3));
    }

    [Fact]
    public void A_name_stays_with_the_cluster_that_most_of_its_examples_are_in()
        => Assert.Empty(Follow(Named(ClusterEdits.None, 1, "seven", "a", "b", "c"), ("seven", [1, 1, 2])));

    [Fact]
    public void A_name_follows_its_examples_to_another_cluster_and_comes_back()
    {
        ClusterEdits edits = Named(ClusterEdits.None, 1, "seven", "a", "b", "c");
        IReadOnlyDictionary<string, long> moved = Follow(edits, ("seven", [2, 2, 1]));
        Assert.Equal(2, moved["seven"]);
        ClusterRegistry registry = ClusterNaming.Move(Three, edits, moved, Now);
        Assert.Equal("seven", ClusterNaming.Directory(edits, registry).NameOf(2));
        Assert.Null(ClusterNaming.Directory(edits, registry).NameOf(1));
        Assert.Equal("name moved", registry.Events[^1].Kind);

        // To give the name anew puts an end to where it went.
        Assert.Equal("seven", ClusterNaming.Directory(edits.Name(3, "seven", [], Nobody), registry).NameOf(3));
    }

    [Fact]
    public void A_name_never_takes_the_place_of_one_that_is_where_its_examples_are()
    {
        ClusterEdits edits = Named(Named(ClusterEdits.None, 1, "seven", "a", "b", "c"), 2, "two", "d", "e", "f");
        IReadOnlyDictionary<string, long> moved = Follow(edits, ("seven", [2, 2, 2]), ("two", [2, 2, 2]));
        Assert.Equal(0, moved["seven"]);
        Assert.False(moved.ContainsKey("two"));
        ClusterRegistry nameless = ClusterNaming.Move(Three, edits, moved, Now);
        Assert.Equal([null, "two"], [ClusterNaming.Directory(edits, nameless).NameOf(1), ClusterNaming.Directory(edits, nameless).NameOf(2)]);

        // Apart again, it comes back.
        moved = ClusterNaming.Follow(edits, nameless, [1, 2, 3], Places(("seven", [3, 3, 3]), ("two", [2, 2, 2])));
        Assert.Equal(3, moved["seven"]);
    }

    [Fact]
    public void Two_names_whose_clusters_were_exchanged_are_exchanged()
    {
        ClusterEdits edits = Named(Named(ClusterEdits.None, 1, "seven", "a", "b", "c"), 2, "two", "d", "e", "f");
        IReadOnlyDictionary<string, long> moved = Follow(edits, ("seven", [2, 2, 2]), ("two", [1, 1, 1]));
        Assert.Equal([2, 1], [moved["seven"], moved["two"]]);
    }

    [Fact]
    public void Without_examples_that_can_be_asked_a_name_stays()
        => Assert.Empty(ClusterNaming.Follow(Named(ClusterEdits.None, 1, "seven"), Three, [2, 3], Places()));

    [Fact]
    public void Pins_are_kept_and_repeated_pins_change_nothing()
    {
        ClusterEdits edits = ClusterEdits.None.Pin(1, pinned: true);
        Assert.Equal([1L], ClusterNaming.Directory(edits, Three).Pinned);
        Assert.Same(edits, edits.Pin(1, pinned: true));
        Assert.Empty(edits.Pin(1, pinned: false).Pins);
    }

    private static IReadOnlyDictionary<string, long> Follow(ClusterEdits edits, params (string Name, long[] Clusters)[] places) =>
        ClusterNaming.Follow(edits, Three, [1, 2, 3], Places(places));

    private static Dictionary<string, long[]> Places(params (string Name, long[] Clusters)[] places) =>
        places.ToDictionary(p => p.Name, p => p.Clusters, StringComparer.Ordinal);
}
