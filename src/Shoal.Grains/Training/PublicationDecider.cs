using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>What becomes of a round's candidate.</summary>
internal enum PublicationVerdict
{
    /// <summary>It becomes a model version.</summary>
    Publish,

    /// <summary>Nothing is wrong with it; it is not worth a version yet.</summary>
    Hold,

    /// <summary>It is broken or worse; users are told.</summary>
    Refuse,
}

/// <summary>A verdict and the reason that users read.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Broken">Whether nothing good can come of training on from the candidate.</param>
internal readonly record struct PublicationDecision(PublicationVerdict Verdict, string Reason, bool Broken = false);

/// <summary>Decides, without labels, whether a candidate becomes a model version.</summary>
internal static class PublicationDecider
{
    /// <summary>Evenly spread embeddings score 1; InfoNCE-trained ones 0.5 to 1; a collapsed encoder below 0.05.</summary>
    public const double CollapsedSpread = 0.1;

    /// <summary>Held-out clustering loss must fall by this much to count as a gain; two evaluations of one model differ by 0.005.</summary>
    public const double Gain = 0.01;

    /// <summary>A rise of the held-out loss above this, with views that agree less, is a worse candidate, not noise.</summary>
    public const double Worse = 0.5;

    /// <summary>How far the neighbourhoods of samples may move (1 - correlation of similarities) before stored embeddings mislead.</summary>
    public const double Drift = 0.02;

    /// <summary>The share of items that may still be stale from the last version when the next is published: refresh must follow. It takes the stalest first, so no item is left behind for ever.</summary>
    public const double StaleShare = 0.8;

    /// <summary>Fresh samples before the first version: below this the encoder has seen fewer than thirty batches.</summary>
    public const int FirstVersionSamples = 2_000;

    /// <summary>Decides.</summary>
    /// <param name="evidence">What the seat measured.</param>
    /// <param name="published">The published version; null when none is.</param>
    /// <param name="samples">Fresh samples ever trained on.</param>
    /// <param name="staleShare">The share of assigned items whose assignment is older than the published version.</param>
    /// <param name="resting">Whether the seat has nothing more to learn from now: fresh samples and rehearsal are done.</param>
    public static PublicationDecision Decide(
        CandidateEvidence evidence, PublishedVersion? published, long samples, double staleShare, bool resting)
    {
        if (!evidence.Finite)
        {
            return new(PublicationVerdict.Refuse, "the parameters hold a number that is not finite", Broken: true);
        }

        if (evidence.Spread < CollapsedSpread)
        {
            return new(PublicationVerdict.Refuse, $"the embeddings have collapsed (spread {evidence.Spread:F3}, healthy above {CollapsedSpread})", Broken: true);
        }

        if (evidence.ClustersInUse < 2)
        {
            return new(PublicationVerdict.Refuse, "every held-out sample falls into one cluster", Broken: true);
        }

        if (published is null)
        {
            return samples >= FirstVersionSamples || resting
                ? new(PublicationVerdict.Publish, "first version")
                : new(PublicationVerdict.Hold, $"{samples:N0} of {FirstVersionSamples:N0} samples seen before the first version");
        }

        var loss = evidence.HeldOutLoss - evidence.PublishedLoss;
        // Where clusters were united, the loss rises for being spread over fewer; views then agree better.
        if (loss > Worse && evidence.Disagreement > evidence.PublishedDisagreement)
        {
            return new(PublicationVerdict.Refuse, $"held-out loss {evidence.HeldOutLoss:F3} is worse than the published {evidence.PublishedLoss:F3}");
        }

        if (staleShare > StaleShare && !resting)
        {
            return new(PublicationVerdict.Hold, $"{staleShare:P0} of the items still await version {published.Version}");
        }

        if (-loss >= Gain)
        {
            return new(PublicationVerdict.Publish, $"held-out loss fell from {evidence.PublishedLoss:F3} to {evidence.HeldOutLoss:F3}");
        }

        if (evidence.Drift >= Drift)
        {
            return new(PublicationVerdict.Publish, $"embeddings have drifted by {evidence.Drift:F3}");
        }

        return new(PublicationVerdict.Hold, $"held-out loss {evidence.HeldOutLoss:F3} against {evidence.PublishedLoss:F3}, drift {evidence.Drift:F3}");
    }
}
