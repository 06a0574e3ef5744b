using Shoal.Contracts;
using Shoal.Grains.Training;

namespace Shoal.Grains.Tests;

public sealed class ManifestTests
{
    private static Checkpoint State(int number, long next) => new()
    {
        Cursors = [new ShardCursor(0, next)],
        Parts = new Dictionary<string, Claim>(StringComparer.Ordinal) { ["model"] = new Claim($"model{number}", 1) },
    };

    private static RoundDelivery Delivery(int round, params long[] inherited) => new()
    {
        Seat = "seat",
        Round = round,
        Cursors = [],
        Parts = [],
        Keys = new BankKeys { Keys = [], Samples = [], Steps = [] },
        Candidate = new Claim($"candidate{round}", 1),
        Evidence = new CandidateEvidence { EncoderHash = $"{round}" },
        Progress = new SeatProgress { Losses = [] },
        Descent = new ClusterDescent { Inherited = inherited, Parents = new long[inherited.Length], Sizes = new int[inherited.Length], Heirs = [] },
    };

    private static Manifest Published(Manifest manifest, int number, params long[] inherited) =>
        manifest.Commit(State(number, number * 100)).Publish(Delivery(number, inherited), "a gain");

    [Fact]
    public void New_clusters_get_ids_that_were_never_used_and_empty_slots_get_none()
    {
        Manifest first = Published(new Manifest(), 1, 0, -1, 0);
        Assert.Equal([1, 0, 2], first.Version!.Clusters);
        Manifest second = Published(first, 2, 0, 2, -1);
        Assert.Equal([3, 2, 0], second.Version!.Clusters);
        Assert.Equal("born", Assert.Single(second.Fates).Kind);
        Assert.True(second.StateIsPublished);
        Assert.Equal((2, null), (second.PublishedFrom(2)?.Version, second.Commit(State(3, 300)).PublishedFrom(3)));
        Assert.False(second.Commit(State(9, 0)).StateIsPublished);
    }

    [Fact]
    public void Merged_split_and_gone_clusters_are_told_apart()
    {
        (_, ClusterFate[] fates, _) = VersionLineage.Of(
            new ClusterDescent { Inherited = [5, 0], Parents = [0, 5], Sizes = [30, 20], Heirs = new Dictionary<long, int> { [6] = 0, [7] = -1 } }, next: 8);
        Assert.Equal([(8, "split", 5), (6, "merged", 5), (7, "died", null)], fates.Select(f => (f.Cluster, f.Kind, f.Other)));
    }

    [Fact]
    public void A_rollback_is_a_new_version_that_brings_clusters_back_and_trains_on_from_its_checkpoint()
    {
        Manifest manifest = Published(Published(new Manifest(), 1, 0, 0), 2, 1, 0);
        Manifest restored = manifest.Restore(manifest.Versions[1], DateTimeOffset.UnixEpoch);
        Assert.Equal((3, 1), (restored.Version!.Version, restored.Version.Restores));
        Assert.Equal([1, 2], restored.Version.Clusters);
        Assert.Equal([(2, "restored"), (3, "died")], restored.Fates.Select(f => (f.Cluster, f.Kind)));
        Assert.Equal(100, restored.State.Cursors[0].Next);
        Assert.Equal(4, restored.NextCluster);
        Assert.Equal(3, restored.Version.EncoderVersion);
        Assert.True(restored.StateIsPublished);
        Assert.NotEqual(manifest.Retreats, restored.Retreats);
        Assert.NotEqual(manifest.Term, restored.Term);
    }

    [Fact]
    public void What_is_broken_is_given_up_at_once_and_what_is_only_worse_when_it_stays_so()
    {
        var young = new Manifest();
        Assert.False(young.Refuse(broken: true, finite: true).Retreats);
        Assert.True(young.Refuse(broken: true, finite: false).Retreats);

        Manifest manifest = Published(young, 1, 0, 0);
        Assert.True(manifest.Refuse(broken: true, finite: true).Retreats);
        for (var i = 1; i < Manifest.MostRefusals; i++)
        {
            (manifest, var retreats) = manifest.Refuse(broken: false, finite: true);
            Assert.False(retreats);
        }

        Assert.Equal(0, Published(manifest, 2, 1, 2).RefusedInARow);
        (Manifest back, var last) = manifest.Refuse(broken: false, finite: true);
        Assert.Equal((true, 0), (last, back.RefusedInARow));
    }

    [Fact]
    public void A_retreat_takes_the_same_samples_again_three_times_and_then_skips_them()
    {
        Manifest manifest = Published(new Manifest(), 1, 0, 0);
        for (var i = 1; i <= Manifest.MostRetreats; i++)
        {
            manifest = manifest.Commit(State(2, 900)).Retreat();
            Assert.Equal((100, "model1", i), (manifest.State.Cursors[0].Next, manifest.State.Parts["model"].Name, manifest.Retreats));
            Assert.Equal(i, manifest.Term);
        }

        SeatProgress Progress(int idleSteps) => new() { Losses = [], IdleSteps = idleSteps };
        KeptVersion published = manifest.Versions[0] with { Checkpoint = manifest.Versions[0].Checkpoint with { Progress = Progress(7) } };
        manifest = (manifest with { Versions = [published] }).Commit(State(2, 900) with { Progress = Progress(100) }).Retreat();
        Assert.Equal((900, "model1"), (manifest.State.Cursors[0].Next, manifest.State.Parts["model"].Name));
        Assert.Equal(100, manifest.State.Progress!.IdleSteps);
        Assert.Equal(0, Published(manifest, 3, 1, 2).RetreatsInARow);

        // Without a version it begins anew.
        Manifest young = new Manifest().Commit(State(1, 300)).Retreat();
        Assert.Empty(young.State.Parts);
        Assert.Equal(0, young.State.Cursors[0].Next);
    }

    [Fact]
    public void Versions_kept_thin_out_with_age_and_the_one_before_is_always_there()
    {
        var manifest = new Manifest();
        for (var number = 1; number <= 600; number++)
        {
            manifest = Published(manifest, number, 1);
            Assert.True(manifest.Versions.Length <= 8);
            if (number > 1)
            {
                Assert.Equal(number - 1, manifest.Versions[1].Version.Version);
            }
        }

        Assert.True(manifest.Versions[^1].Version.Version < 500, $"the oldest is {manifest.Versions[^1].Version.Version}");
        Assert.Contains("candidate600", manifest.Objects());
        Assert.Contains("model599", manifest.Objects());
    }
}
