using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>A reference to an immutable object in the store, sent instead of its bytes.</summary>
/// <param name="Name">The object's name in the store.</param>
/// <param name="Length">Its length in bytes.</param>
[GenerateSerializer, Immutable, Alias("shoal.claim")]
public sealed record Claim([property: Id(0)] string Name, [property: Id(1)] long Length);

/// <summary>One published, inseparable set of encoder, prototypes and lineage.</summary>
[GenerateSerializer, Immutable, Alias("shoal.published-version")]
public sealed record PublishedVersion
{
    /// <summary>The version's number, from 1 on.</summary>
    [Id(0)] public int Version { get; init; }

    /// <summary>Its encoder and prototypes, as safetensors.</summary>
    [Id(1)] public required Claim Model { get; init; }

    /// <summary>The cluster id of each slot; 0 for a slot without a cluster.</summary>
    [Id(2)] public required long[] Clusters { get; init; }

    /// <summary>When it was published.</summary>
    [Id(3)] public DateTimeOffset PublishedAt { get; init; }

    /// <summary>The round whose checkpoint it came from.</summary>
    [Id(4)] public long Round { get; init; }

    /// <summary>The last version that changed the encoder: items embedded since need no decoding to be re-assigned.</summary>
    [Id(5)] public int EncoderVersion { get; init; }

    /// <summary>SHA-256 of the encoder's tensors, in hexadecimal.</summary>
    [Id(6)] public string EncoderHash { get; init; } = string.Empty;

    /// <summary>The earlier version that was taken back into use as this one; null when it was trained.</summary>
    [Id(7)] public int? Restores { get; init; }

    /// <summary>Why it was published, in a sentence.</summary>
    [Id(8)] public string Reason { get; init; } = string.Empty;
}

/// <summary>Where a seat reads a shard's log.</summary>
/// <param name="Shard">The shard's number.</param>
/// <param name="Next">The first sequence number that is not trained on yet.</param>
[GenerateSerializer, Immutable, Alias("shoal.shard-cursor")]
public readonly record struct ShardCursor([property: Id(0)] int Shard, [property: Id(1)] long Next);

/// <summary>Which shards a seat trains on, and from what state.</summary>
[GenerateSerializer, Immutable, Alias("shoal.deal")]
public sealed record Deal
{
    /// <summary>The number of this deal; deliveries of an older one are refused.</summary>
    [Id(0)] public long Term { get; init; }

    /// <summary>The round that the seat begins.</summary>
    [Id(1)] public long Round { get; init; }

    /// <summary>The seat's shards and where it reads each.</summary>
    [Id(2)] public required ShardCursor[] Cursors { get; init; }

    /// <summary>The dataset's settings.</summary>
    [Id(3)] public required DatasetSettings Settings { get; init; }

    /// <summary>The parts of the checkpoint to begin from, by name; empty for a new dataset.</summary>
    [Id(4)] public required Dictionary<string, Claim> Checkpoint { get; init; }

    /// <summary>The memory bank to begin from: its epoch and count of keys ever seen.</summary>
    [Id(5)] public BankPosition Bank { get; init; }

    /// <summary>The published version, which candidates are judged against; null when none is.</summary>
    [Id(6)] public PublishedVersion? Published { get; init; }

    /// <summary>Whether <see cref="Checkpoint"/> is the very state that <see cref="Published"/> was made of.</summary>
    [Id(8)] public bool CheckpointIsPublished { get; init; }

    /// <summary>How often training has gone back to a good checkpoint: it must not meet the same randomness again.</summary>
    [Id(9)] public int Retreats { get; init; }

    /// <summary>Which of the deal's seats it is for, from 0 on.</summary>
    [Id(11)] public int Seat { get; init; }

    /// <summary>How many seats train together.</summary>
    [Id(12)] public int Seats { get; init; } = 1;

    /// <summary>What each seat of the checkpoint kept of its own; empty when one seat had all of it.</summary>
    [Id(13)] public SeatShare[] Shares { get; init; } = [];

    /// <summary>The progress at the checkpoint, idle time that was used up included: a restart does not begin it anew. Null for a new dataset.</summary>
    [Id(14)] public SeatProgress? Progress { get; init; }
}

/// <summary>What a seat hands over at the end of a round.</summary>
[GenerateSerializer, Immutable, Alias("shoal.round-delivery")]
public sealed record RoundDelivery
{
    /// <summary>The seat's grain key.</summary>
    [Id(0)] public required string Seat { get; init; }

    /// <summary>The deal that it worked under.</summary>
    [Id(1)] public long Term { get; init; }

    /// <summary>The round that it ends.</summary>
    [Id(2)] public long Round { get; init; }

    /// <summary>Where it reads each shard next.</summary>
    [Id(3)] public required ShardCursor[] Cursors { get; init; }

    /// <summary>The parts of its state by name (<c>model</c>, <c>optimizer</c>, <c>replay</c>, <c>progress</c>).</summary>
    [Id(4)] public required Dictionary<string, Claim> Parts { get; init; }

    /// <summary>Fresh samples trained on in this round.</summary>
    [Id(5)] public long Samples { get; init; }

    /// <summary>The keys pushed to the bank in this round.</summary>
    [Id(6)] public required BankKeys Keys { get; init; }

    /// <summary>The candidate for publication: encoder and prototypes, as safetensors.</summary>
    [Id(7)] public required Claim Candidate { get; init; }

    /// <summary>The evidence by which publication is decided.</summary>
    [Id(8)] public required CandidateEvidence Evidence { get; init; }

    /// <summary>Progress at the end of the round.</summary>
    [Id(9)] public required SeatProgress Progress { get; init; }

    /// <summary>Whether the seat has nothing more to learn from now: fresh samples and rehearsal are done.</summary>
    [Id(10)] public bool Resting { get; init; }

    /// <summary>When the round ended.</summary>
    [Id(11)] public DateTimeOffset EndedAt { get; init; }

    /// <summary>What changed in the stream during the round.</summary>
    [Id(12)] public DriftSighting[] Drifts { get; init; } = [];

    /// <summary>What becomes of the published clusters if the candidate takes their place.</summary>
    [Id(13)] public required ClusterDescent Descent { get; init; }

    /// <summary>What it did not train on because it could not follow.</summary>
    [Id(14)] public SkippedRange[] Skipped { get; init; } = [];
}

/// <summary>What becomes of the published clusters if a candidate takes their place, slot by slot.</summary>
[GenerateSerializer, Immutable, Alias("shoal.cluster-descent")]
public sealed record ClusterDescent
{
    /// <summary>The id of the published cluster that each slot goes on as; 0 for a new cluster, -1 for a slot without one.</summary>
    [Id(0)] public required long[] Inherited { get; init; }

    /// <summary>For each slot with a new cluster the published one that half of its samples were of; 0 where there is none.</summary>
    [Id(1)] public required long[] Parents { get; init; }

    /// <summary>Rehearsed samples in each slot.</summary>
    [Id(2)] public required int[] Sizes { get; init; }

    /// <summary>For each published id that goes on in no slot: the slot that half of its samples went to, -1 where there is none.</summary>
    [Id(3)] public required Dictionary<long, int> Heirs { get; init; }
}

/// <summary>The stream changed: what arrives is unlike the segment before.</summary>
/// <param name="Time">When it was noticed.</param>
/// <param name="Samples">Fresh samples trained on by then.</param>
/// <param name="Separation">How far the last samples are from the segment before, about 0 (alike) to 1 (no neighbours in common).</param>
[GenerateSerializer, Immutable, Alias("shoal.drift-sighting")]
public sealed record DriftSighting([property: Id(0)] DateTimeOffset Time, [property: Id(1)] long Samples, [property: Id(2)] double Separation);

/// <summary>What a seat knows about its candidate.</summary>
[GenerateSerializer, Immutable, Alias("shoal.candidate-evidence")]
public sealed record CandidateEvidence
{
    /// <summary>The clustering loss on held-out replay; lower is better.</summary>
    [Id(0)] public double HeldOutLoss { get; init; }

    /// <summary>The same of the published version on the same samples; NaN when none is published.</summary>
    [Id(1)] public double PublishedLoss { get; init; } = double.NaN;

    /// <summary>How far the neighbourhoods of held-out samples moved between the two encoders: 1 - the correlation of their similarities, 0 to 2; a rotation is no drift; NaN when none is published.</summary>
    [Id(2)] public double Drift { get; init; } = double.NaN;

    /// <summary>Mean standard deviation of the embedding's dimensions times the root of their number: 1 when spread evenly, near 0 when collapsed.</summary>
    [Id(3)] public double Spread { get; init; }

    /// <summary>Clusters with at least one held-out sample.</summary>
    [Id(4)] public int ClustersInUse { get; init; }

    /// <summary>Whether every number in the parameters is finite.</summary>
    [Id(5)] public bool Finite { get; init; } = true;

    /// <summary>How badly views of held-out samples agree on a cluster: the part of the loss that fewer clusters do not raise.</summary>
    [Id(6)] public double Disagreement { get; init; } = double.NaN;

    /// <summary>The same of the published version; NaN when none is published.</summary>
    [Id(8)] public double PublishedDisagreement { get; init; } = double.NaN;

    /// <summary>SHA-256 of the candidate's encoder, in hexadecimal.</summary>
    [Id(7)] public string EncoderHash { get; init; } = string.Empty;
}

/// <summary>How a seat's training stands.</summary>
[GenerateSerializer, Immutable, Alias("shoal.seat-progress")]
public sealed record SeatProgress
{
    /// <summary>Optimisation steps ever taken.</summary>
    [Id(0)] public long Steps { get; init; }

    /// <summary>Fresh samples ever trained on.</summary>
    [Id(1)] public long Samples { get; init; }

    /// <summary>Samples that a backward pass ever went through: views x steps x batch.</summary>
    [Id(2)] public long BackwardPasses { get; init; }

    /// <summary>The last step's losses by named term, and their weighted sum as <c>total</c>.</summary>
    [Id(3)] public required Dictionary<string, double> Losses { get; init; }

    /// <summary>Samples in the replay buffer.</summary>
    [Id(4)] public int ReplayCount { get; init; }

    /// <summary>Fresh samples trained on a second, over the last round.</summary>
    [Id(5)] public double SamplesPerSecond { get; init; }

    /// <summary>Rehearsal steps taken since the last fresh sample.</summary>
    [Id(6)] public int IdleSteps { get; init; }

    /// <summary>Segments of the stream that the replay buffer tells apart.</summary>
    [Id(7)] public int Segments { get; init; }

    /// <summary>Whether it was delivered when there was nothing more to learn from.</summary>
    [Id(8)] public bool Rested { get; init; }
}

/// <summary>How a dataset's training stands.</summary>
[GenerateSerializer, Immutable, Alias("shoal.training-status")]
public sealed record TrainingStatus
{
    /// <summary>What it does: <c>starting</c>, <c>training</c>, <c>rehearsing</c>, <c>settling</c> (the last round is on its way), <c>idle</c>, <c>paused</c>, <c>waiting for storage</c>.</summary>
    [Id(0)] public required string Activity { get; init; }

    /// <summary>The round under way.</summary>
    [Id(1)] public long Round { get; init; }

    /// <summary>The deal under way.</summary>
    [Id(2)] public long Term { get; init; }

    /// <summary>The published version; null when none is.</summary>
    [Id(3)] public PublishedVersion? Version { get; init; }

    /// <summary>Where each shard is trained next.</summary>
    [Id(4)] public required ShardCursor[] Cursors { get; init; }

    /// <summary>The seat's progress; null before its first step.</summary>
    [Id(5)] public SeatProgress? Progress { get; init; }

    /// <summary>Versions that were refused.</summary>
    [Id(6)] public long Refused { get; init; }

    /// <summary>Where the memory bank stands.</summary>
    [Id(7)] public BankPosition Bank { get; init; }

    /// <summary>The last thing that went wrong; null when nothing did.</summary>
    [Id(8)] public string? Problem { get; init; }

    /// <summary>Where training took a sample of what came because it could not follow; the last ranges of each shard.</summary>
    [Id(9)] public SkippedRange[] Skipped { get; init; } = [];
}

/// <summary>Part of a shard's log that training took only a sample of.</summary>
/// <param name="Shard">The shard's number.</param>
/// <param name="From">The first sequence number that was skipped.</param>
/// <param name="To">Behind the last one.</param>
/// <param name="Items">How many sequence numbers in between were skipped.</param>
[GenerateSerializer, Immutable, Alias("shoal.skipped-range")]
public readonly record struct SkippedRange([property: Id(0)] int Shard, [property: Id(1)] long From, [property: Id(2)] long To, [property: Id(3)] long Items);

/// <summary>Rounds, versions, and who trains which shards. Key: the dataset's name.</summary>
[Alias("shoal.model")]
public interface IModelGrain : IGrainWithStringKey
{
    /// <summary>Deals the shards to a seat, once; does nothing while a live seat trains or the dataset is paused.</summary>
    [Alias("start")]
    Task StartAsync();

    /// <summary>Recalls the deal and waits for the seat to stop; what it did since its last round is done again later.</summary>
    [Alias("stop")]
    Task StopAsync();

    /// <summary>Takes a round: merges, checkpoints in one manifest swap, and publishes when it is worth it.</summary>
    /// <param name="delivery">The round.</param>
    /// <returns>The deal to go on under.</returns>
    /// <exception cref="ShoalException">Conflict (an old term: stop), Unavailable (storage away: try again).</exception>
    [Alias("deliver")]
    Task<DeliveryReceipt> DeliverAsync(RoundDelivery delivery);

    /// <summary>Takes what one of several seats did in a round; the round ends when all have delivered, or a deadline has passed.</summary>
    /// <param name="delivery">What it did.</param>
    /// <exception cref="ShoalException">Conflict (an old term: stop), Unavailable (storage away: try again).</exception>
    [Alias("deliver-part")]
    Task DeliverPartAsync(SeatDelivery delivery);

    /// <summary>What the seats of a round came to together; null while it is not over.</summary>
    /// <param name="seat">The asking seat's grain key.</param>
    /// <param name="term">The deal that it works under.</param>
    /// <param name="round">The round that it delivered.</param>
    /// <exception cref="ShoalException">Conflict (an old term: stop).</exception>
    [AlwaysInterleave, Alias("outcome")]
    Task<RoundOutcome?> GetOutcomeAsync(string seat, long term, long round);

    /// <summary>The deal of one seat, as it begins from the manifest: for one that was too late for a round.</summary>
    /// <param name="seat">The seat's grain key.</param>
    /// <param name="term">The deal that it works under.</param>
    /// <exception cref="ShoalException">Conflict (an old term: stop).</exception>
    [Alias("deal")]
    Task<Deal> GetDealAsync(string seat, long term);

    /// <summary>The published version; null when none is.</summary>
    [AlwaysInterleave, Alias("version")]
    Task<PublishedVersion?> GetVersionAsync();

    /// <summary>How training stands.</summary>
    [AlwaysInterleave, Alias("status")]
    Task<TrainingStatus> GetStatusAsync();

    /// <summary>Which seat trains on which shard.</summary>
    [AlwaysInterleave, Alias("seats")]
    Task<SeatPlan> GetSeatsAsync();

    /// <summary>The published version and the earlier ones that can be taken back into use, newest first.</summary>
    [AlwaysInterleave, Alias("versions")]
    Task<PublishedVersion[]> GetVersionsAsync();

    /// <summary>A piece of a kept version's file.</summary>
    /// <param name="version">The version's number.</param>
    /// <param name="offset">The first byte wanted.</param>
    /// <param name="maxBytes">The most bytes returned, 1 to 4,194,304.</param>
    /// <exception cref="ShoalException">NotFound (it is not kept), Unavailable (storage away).</exception>
    [AlwaysInterleave, Alias("read-version")]
    Task<ModelPart> ReadVersionAsync(int version, long offset, int maxBytes);

    /// <summary>Takes an earlier version back into use, as a new version; training goes on from its checkpoint.</summary>
    /// <param name="version">One of <see cref="GetVersionsAsync"/>, not the published one.</param>
    /// <returns>The version that is published now.</returns>
    /// <exception cref="ShoalException">NotFound (it is not kept), Invalid (it is the published one), Unavailable.</exception>
    [Alias("rollback")]
    Task<PublishedVersion> RollbackAsync(int version);

    /// <summary>Ends the activation without writing; asked by a dataset that is deleted.</summary>
    [Alias("forget")]
    Task ForgetAsync();
}

/// <summary>The model's answer to a delivered round.</summary>
/// <param name="NextRound">The round that the seat begins.</param>
/// <param name="Published">The version published from this round; null when none was.</param>
/// <param name="Bank">Where the memory bank stands.</param>
[GenerateSerializer, Immutable, Alias("shoal.delivery-receipt")]
public sealed record DeliveryReceipt(
    [property: Id(0)] long NextRound,
    [property: Id(1)] PublishedVersion? Published,
    [property: Id(2)] BankPosition Bank);

/// <summary>One seat of training, on the silo that its key names. Key: <see cref="GrainKeys.Seat"/>.</summary>
[Alias("shoal.replica")]
public interface IReplicaGrain : IGrainWithStringKey
{
    /// <summary>Begins training under a deal; an older deal than the one held is refused.</summary>
    /// <param name="deal">The deal.</param>
    [Alias("begin")]
    Task BeginAsync(Deal deal);

    /// <summary>Stops training and frees what it holds; returns when nothing runs any more.</summary>
    [AlwaysInterleave, Alias("stop")]
    Task StopAsync();

    /// <summary>Merges a round and settles its clusters, for all seats.</summary>
    /// <param name="request">What they did.</param>
    /// <exception cref="ShoalException">Conflict (this seat has another deal), Overloaded, Unavailable (storage away).</exception>
    [AlwaysInterleave, ResponseTimeout("00:02:00"), Alias("settle")]
    Task<SettleResult> SettleAsync(SettleRequest request);

    /// <summary>What the seat does, and its progress.</summary>
    [AlwaysInterleave, Alias("report")]
    Task<SeatReport> GetReportAsync();
}

/// <summary>What a seat does now.</summary>
/// <param name="Term">The deal it works under; 0 when none.</param>
/// <param name="Activity">As in <see cref="TrainingStatus.Activity"/>.</param>
/// <param name="Progress">Its progress; null before its first step.</param>
/// <param name="Cursors">Where it reads each shard next.</param>
/// <param name="Problem">The last thing that went wrong; null when nothing did.</param>
[GenerateSerializer, Immutable, Alias("shoal.seat-report")]
public sealed record SeatReport(
    [property: Id(0)] long Term,
    [property: Id(1)] string Activity,
    [property: Id(2)] SeatProgress? Progress,
    [property: Id(3)] ShardCursor[] Cursors,
    [property: Id(4)] string? Problem);
