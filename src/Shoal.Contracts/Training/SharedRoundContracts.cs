namespace Shoal.Contracts;

/// <summary>What a seat keeps of its own beside the model that all share.</summary>
[GenerateSerializer, Immutable, Alias("shoal.seat-share")]
public sealed record SeatShare
{
    /// <summary>The shards that it trained on.</summary>
    [Id(0)] public required int[] Shards { get; init; }

    /// <summary>The parts of its state by name (<c>optimizer</c>, <c>replay</c>, <c>progress</c>).</summary>
    [Id(1)] public required Dictionary<string, Claim> Parts { get; init; }
}

/// <summary>What one of several seats hands over at the end of a round.</summary>
[GenerateSerializer, Immutable, Alias("shoal.seat-delivery")]
public sealed record SeatDelivery
{
    /// <summary>The seat's grain key.</summary>
    [Id(0)] public required string Seat { get; init; }

    /// <summary>The deal that it worked under.</summary>
    [Id(1)] public long Term { get; init; }

    /// <summary>The round that it ends.</summary>
    [Id(2)] public long Round { get; init; }

    /// <summary>Where it reads each of its shards next.</summary>
    [Id(3)] public required ShardCursor[] Cursors { get; init; }

    /// <summary>Its model.</summary>
    [Id(4)] public required Claim Model { get; init; }

    /// <summary>What it keeps of its own.</summary>
    [Id(5)] public required SeatShare Share { get; init; }

    /// <summary>Fresh samples trained on in this round.</summary>
    [Id(6)] public long Samples { get; init; }

    /// <summary>Samples that a backward pass went through in this round: what its model counts for.</summary>
    [Id(7)] public long BackwardPasses { get; init; }

    /// <summary>The keys pushed to the bank in this round.</summary>
    [Id(8)] public required BankKeys Keys { get; init; }

    /// <summary>Progress at the end of the round.</summary>
    [Id(9)] public required SeatProgress Progress { get; init; }

    /// <summary>Whether the seat has nothing more to learn from now.</summary>
    [Id(10)] public bool Resting { get; init; }

    /// <summary>When the round ended for it.</summary>
    [Id(11)] public DateTimeOffset EndedAt { get; init; }

    /// <summary>What changed in the stream during the round.</summary>
    [Id(12)] public DriftSighting[] Drifts { get; init; } = [];

    /// <summary>What it did not train on because it could not follow.</summary>
    [Id(13)] public SkippedRange[] Skipped { get; init; } = [];
}

/// <summary>What the seats of a round came to together.</summary>
/// <param name="NextRound">The round that every seat begins.</param>
/// <param name="Parts">What all share, by name: the merged <c>model</c>, its <c>clusters</c>, and <c>labels</c>, the cluster of each rehearsed sample.</param>
/// <param name="Taken">Whether the asking seat's delivery is part of it; one that came too late begins again from the manifest.</param>
/// <param name="Seconds">For how long the next round trains.</param>
[GenerateSerializer, Immutable, Alias("shoal.round-outcome")]
public sealed record RoundOutcome(
    [property: Id(0)] long NextRound,
    [property: Id(1)] Dictionary<string, Claim> Parts,
    [property: Id(2)] bool Taken,
    [property: Id(3)] double Seconds);

/// <summary>Asks a seat to merge what all did in a round, and to settle its clusters.</summary>
[GenerateSerializer, Immutable, Alias("shoal.settle-request")]
public sealed record SettleRequest
{
    /// <summary>The deal under way.</summary>
    [Id(0)] public long Term { get; init; }

    /// <summary>The round.</summary>
    [Id(1)] public long Round { get; init; }

    /// <summary>What each seat did.</summary>
    [Id(2)] public required SettlePart[] Parts { get; init; }

    /// <summary>The clusters before this round: a part <c>clusters</c>, or a part <c>progress</c> of one seat; null before there are any.</summary>
    [Id(3)] public Claim? Clusters { get; init; }

    /// <summary>Counts the requests of a deal: what one that was given up still writes must not be what another wrote.</summary>
    [Id(4)] public int Attempt { get; init; }

    /// <summary>The published version; null when none is.</summary>
    [Id(5)] public PublishedVersion? Published { get; init; }

    /// <summary>Whether it was made of the round before this one, which its clusters do not know of yet.</summary>
    [Id(6)] public bool PublishedIsNews { get; init; }

    /// <summary>The model that the round began with; null before there is one, or where the mean is what counts.</summary>
    [Id(7)] public Claim? Model { get; init; }

    /// <summary>The outer momentum's part <c>outer</c>; null before there is one.</summary>
    [Id(8)] public Claim? Outer { get; init; }
}

/// <summary>What one seat did in a round, or has from before it.</summary>
/// <param name="Model">Its model; null when it did nothing in this round.</param>
/// <param name="Weight">What its model counts for: samples that a backward pass went through.</param>
/// <param name="Progress">Its part <c>progress</c>.</param>
/// <param name="Replay">Its part <c>replay</c>.</param>
[GenerateSerializer, Immutable, Alias("shoal.settle-part")]
public sealed record SettlePart(
    [property: Id(0)] Claim? Model,
    [property: Id(1)] double Weight,
    [property: Id(2)] Claim Progress,
    [property: Id(3)] Claim Replay);

/// <summary>What a seat settled.</summary>
/// <param name="Parts">As <see cref="RoundOutcome.Parts"/>.</param>
/// <param name="Candidate">The candidate for publication, as safetensors.</param>
/// <param name="Evidence">The evidence by which publication is decided.</param>
/// <param name="Descent">What becomes of the published clusters if the candidate takes their place.</param>
[GenerateSerializer, Immutable, Alias("shoal.settle-result")]
public sealed record SettleResult(
    [property: Id(0)] Dictionary<string, Claim> Parts,
    [property: Id(1)] Claim Candidate,
    [property: Id(2)] CandidateEvidence Evidence,
    [property: Id(3)] ClusterDescent Descent);
