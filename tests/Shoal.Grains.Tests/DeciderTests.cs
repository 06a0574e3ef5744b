using Shoal.Contracts;
using Shoal.Grains.Training;

namespace Shoal.Grains.Tests;

public sealed class DeciderTests
{
    private static readonly CandidateEvidence Good = new() { HeldOutLoss = -3, PublishedLoss = -2.9, Drift = 0.001, Spread = 0.8, ClustersInUse = 10 };

    private static readonly PublishedVersion Published = new() { Version = 3, Model = new Claim("m", 1), Clusters = [1, 2] };

    private static PublicationDecision Decide(CandidateEvidence evidence, PublishedVersion? published = null, long samples = 10_000, double stale = 0, bool resting = false) =>
        PublicationDecider.Decide(evidence, published, samples, stale, resting);

    [Fact]
    public void Parameters_that_are_not_finite_are_refused()
        => Assert.Equal(PublicationVerdict.Refuse, Decide(Good with { Finite = false }).Verdict);

    [Fact]
    public void A_collapsed_candidate_is_refused_and_says_so()
    {
        PublicationDecision decision = Decide(Good with { Spread = 0.02 }, Published);
        Assert.Equal(PublicationVerdict.Refuse, decision.Verdict);
        Assert.Equal("the embeddings have collapsed (spread 0.020, healthy above 0.1)", decision.Reason);
    }

    [Fact]
    public void A_candidate_with_one_cluster_is_refused()
        => Assert.Equal(PublicationVerdict.Refuse, Decide(Good with { ClustersInUse = 1 }, Published).Verdict);

    [Fact]
    public void A_worse_candidate_is_refused()
        => Assert.Equal(PublicationVerdict.Refuse, Decide(Good with { HeldOutLoss = -2.3, Disagreement = 0.3, PublishedDisagreement = 0.2 }, Published).Verdict);

    [Fact]
    public void A_gain_is_published()
        => Assert.Equal(PublicationVerdict.Publish, Decide(Good, Published).Verdict);

    [Fact]
    public void A_drifted_encoder_is_published_without_a_gain()
        => Assert.Equal(PublicationVerdict.Publish, Decide(Good with { HeldOutLoss = -2.9, Drift = 0.05 }, Published).Verdict);

    [Fact]
    public void Neither_gain_nor_drift_is_held()
        => Assert.Equal(PublicationVerdict.Hold, Decide(Good with { HeldOutLoss = -2.9 }, Published).Verdict);

    [Fact]
    public void No_version_is_published_faster_than_refresh_follows_unless_training_rests()
    {
        Assert.Equal(PublicationVerdict.Hold, Decide(Good, Published, stale: 0.9).Verdict);
        Assert.Equal(PublicationVerdict.Publish, Decide(Good, Published, stale: 0.9, resting: true).Verdict);
    }

    [Theory]
    [InlineData(1, "Begin in another data folder")]
    [InlineData(Manifest.CurrentFormat + 1, "Update the program")]
    public void A_manifest_of_another_format_says_what_to_do(int format, string advice)
    {
        Assert.Contains(advice, new Manifest { Format = format }.FormatProblem(), StringComparison.Ordinal);
        Assert.Null(new Manifest().FormatProblem());
    }

    [Theory]
    [InlineData(10, "nonesuch", "Objective 'nonesuch' is unknown")]
    [InlineData(0, "scan", "'scan' needs their number")]
    [InlineData(1, "moco", "Clusters is 1; must be 2 to 1,000.")]
    public void Settings_that_the_learner_would_refuse_are_refused_at_the_door(int clusters, string objective, string problem)
    {
        var settings = new DatasetSettings { Clusters = clusters, Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [objective] = 1 } };
        Assert.Contains(problem, Assert.Single(LearnerSettings.Problems(settings)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_version_waits_for_enough_samples_or_for_rest()
    {
        Assert.Equal(PublicationVerdict.Hold, Decide(Good, samples: 500).Verdict);
        Assert.Equal(PublicationVerdict.Publish, Decide(Good, samples: 500, resting: true).Verdict);
        Assert.Equal(PublicationVerdict.Publish, Decide(Good, samples: 2_000).Verdict);
    }

    [Fact]
    public void Uniting_clusters_is_no_worse_candidate()
    {
        // Fewer clusters raise the loss by their entropy; views agree better.
        CandidateEvidence united = Good with { HeldOutLoss = -2.3, Disagreement = 0.1, PublishedDisagreement = 0.2 };
        Assert.NotEqual(PublicationVerdict.Refuse, Decide(united, Published).Verdict);
        Assert.Equal(PublicationVerdict.Refuse, Decide(united with { Disagreement = 0.3 }, Published).Verdict);
    }
}
