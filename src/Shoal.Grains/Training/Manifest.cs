using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>A state that training can go on from: what was learned, and which samples it was learned from.</summary>
internal sealed record Checkpoint
{
    /// <summary>Where each shard is trained next.</summary>
    public ShardCursor[] Cursors { get; init; } = [];

    /// <summary>The parts of the seat's state by name; of several seats what they share.</summary>
    public Dictionary<string, Claim> Parts { get; init; } = [];

    /// <summary>What each of several seats keeps of its own; empty when one had everything.</summary>
    public SeatShare[] Seats { get; init; } = [];

    /// <summary>The memory bank; null while it is empty.</summary>
    public Claim? Bank { get; init; }

    /// <summary>The seat's progress.</summary>
    public SeatProgress? Progress { get; init; }

    /// <summary>What each seat kept of its own, also where one had everything.</summary>
    public IReadOnlyList<SeatShare> EverySeat() => Seats.Length > 0 || Parts.Count == 0
        ? Seats
        : [new SeatShare { Shards = [.. Cursors.Select(cursor => cursor.Shard)], Parts = Parts }];

    /// <summary>Where training took a sample of what came because it could not follow.</summary>
    public SkippedRange[] Skipped { get; init; } = [];

    /// <summary>Every object that it needs.</summary>
    public IEnumerable<string> Objects() => Parts.Values.Concat(Seats.SelectMany(seat => seat.Parts.Values)).Append(Bank).OfType<Claim>().Select(c => c.Name);

    /// <summary>The same with its objects elsewhere.</summary>
    /// <param name="move">Where each one is.</param>
    public Checkpoint Moved(Func<Claim, Claim> move) => this with
    {
        Parts = Moved(Parts, move),
        Seats = Array.ConvertAll(Seats, seat => seat with { Parts = Moved(seat.Parts, move) }),
        Bank = Bank is null ? null : move(Bank),
    };

    private static Dictionary<string, Claim> Moved(Dictionary<string, Claim> parts, Func<Claim, Claim> move) =>
        parts.ToDictionary(part => part.Key, part => move(part.Value), StringComparer.Ordinal);
}

/// <summary>A version that can be taken back into use.</summary>
/// <param name="Version">The version.</param>
/// <param name="Checkpoint">The state that it was made of.</param>
internal sealed record KeptVersion(PublishedVersion Version, Checkpoint Checkpoint);

/// <summary>The small object, swapped by ETag, that names everything needed to go on after a crash.</summary>
internal sealed record Manifest
{
    /// <summary>
    /// The format that this program writes and reads: 2 named encoders' layers anew and kept segments of replay, 3 keeps the
    /// clusters of replayed samples, 4 the checkpoint of each kept version and the lineage of clusters, 5 what each of several seats keeps.
    /// </summary>
    public const int CurrentFormat = 5;

    // Of a format before it only what came since is missing.
    private const int OldestFormat = 4;

    /// <summary>Retreats in a row that take the same samples again; after these, what was trained since is skipped.</summary>
    public const int MostRetreats = 3;

    /// <summary>
    /// Refusals in a row after which a candidate that is only worse is given up, too. Where a stream changes, candidates are worse for a few
    /// rounds and then better than what was published: going back at the first refusal cost a sixth of the samples of MNIST in phases.
    /// </summary>
    public const int MostRefusals = 12;

    /// <summary>The format of this manifest.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Why this program cannot go on from here, and what to do; null when it can.</summary>
    public string? FormatProblem() => Format switch
    {
        > CurrentFormat => $"it has format {Format}, this program reads {CurrentFormat}. Update the program.",
        < OldestFormat => $"it has format {Format} of an older program, this one reads {CurrentFormat}. Begin in another data folder and ingest again, or go on with that program.",
        _ => null,
    };

    /// <summary>The number of the last deal; deliveries of an older one are refused.</summary>
    public long Term { get; init; }

    /// <summary>The round that begins from this manifest.</summary>
    public long Round { get; init; }

    /// <summary>Where training goes on.</summary>
    public Checkpoint State { get; init; } = new();

    /// <summary>The published version, and before it those that can be taken back into use, newest first.</summary>
    public KeptVersion[] Versions { get; init; } = [];

    /// <summary>What became of clusters in the published version.</summary>
    public ClusterFate[] Fates { get; init; } = [];

    /// <summary>The next cluster id; ids are never reused.</summary>
    public long NextCluster { get; init; } = 1;

    /// <summary>Candidates that were refused.</summary>
    public long Refused { get; init; }

    /// <summary>How many of them came in a row, without a version or a retreat since.</summary>
    public int RefusedInARow { get; init; }

    /// <summary>How often training went back to a good checkpoint.</summary>
    public int Retreats { get; init; }

    /// <summary>How often in a row, without a version since.</summary>
    public int RetreatsInARow { get; init; }

    /// <summary>The published version; null when none is.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public PublishedVersion? Version => Versions.FirstOrDefault()?.Version;

    /// <summary>Whether training goes on from the very state that the published version was made of.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool StateIsPublished => Versions.FirstOrDefault() is { } published
        && published.Checkpoint.Parts.Values.Select(c => c.Name).SequenceEqual(State.Parts.Values.Select(c => c.Name), StringComparer.Ordinal);

    /// <summary>The published version if it was made in a round; null otherwise.</summary>
    /// <param name="round">The round.</param>
    public PublishedVersion? PublishedFrom(long round) => Version is { } version && version.Round == round ? version : null;

    /// <summary>Every object that this manifest needs.</summary>
    public IEnumerable<string> Objects() => State.Objects().Concat(Versions.SelectMany(v => v.Checkpoint.Objects().Append(v.Version.Model.Name)));

    /// <summary>The same with its objects elsewhere: what a backup that is restored under another name has.</summary>
    /// <param name="from">What their names begin with.</param>
    /// <param name="to">What they begin with instead.</param>
    public Manifest Moved(string from, string to)
    {
        return this with
        {
            State = State.Moved(Move),
            Versions = [.. Versions.Select(kept => new KeptVersion(kept.Version with { Model = Move(kept.Version.Model) }, kept.Checkpoint.Moved(Move)))],
        };

        Claim Move(Claim claim) => claim with { Name = claim.Name.StartsWith(from, StringComparison.Ordinal) ? to + claim.Name[from.Length..] : claim.Name };
    }

    /// <summary>After a round: training goes on from what was delivered.</summary>
    /// <param name="delivered">The delivered state.</param>
    public Manifest Commit(Checkpoint delivered) => this with { Format = CurrentFormat, Round = Round + 1, State = delivered };

    /// <summary>The state to go on from becomes a version.</summary>
    /// <param name="delivery">The round that it came from.</param>
    /// <param name="reason">Why, in a sentence.</param>
    public Manifest Publish(RoundDelivery delivery, string reason)
    {
        var number = (Version?.Version ?? 0) + 1;
        (var clusters, ClusterFate[] fates, var next) = VersionLineage.Of(delivery.Descent, NextCluster);
        // With the same encoder only prototypes changed: stored embeddings stay true.
        var same = Version is { } old && string.Equals(old.EncoderHash, delivery.Evidence.EncoderHash, StringComparison.Ordinal);
        return With(fates, new PublishedVersion
        {
            Version = number,
            Model = delivery.Candidate,
            Clusters = clusters,
            PublishedAt = delivery.EndedAt,
            Round = delivery.Round,
            EncoderHash = delivery.Evidence.EncoderHash,
            EncoderVersion = same ? Version!.EncoderVersion : number,
            Reason = reason,
        }) with
        { NextCluster = next };
    }

    /// <summary>An earlier version becomes the published one again, and training goes on from its checkpoint.</summary>
    /// <param name="kept">The version.</param>
    /// <param name="now">When.</param>
    public Manifest Restore(KeptVersion kept, DateTimeOffset now)
    {
        var number = Version!.Version + 1;
        return (this with { Term = Term + 1, State = kept.Checkpoint, Retreats = Retreats + 1 }).With(VersionLineage.Between(Version, kept.Version), kept.Version with
        {
            Version = number,
            PublishedAt = now,
            EncoderVersion = number,
            Restores = kept.Version.Version,
            Reason = $"version {kept.Version.Version} was taken back into use",
        });
    }

    /// <summary>The candidate of the round is refused; training goes back where nothing good can come of going on.</summary>
    /// <param name="broken">Whether nothing good can come of going on from it.</param>
    /// <param name="finite">Whether its numbers are.</param>
    /// <returns>The manifest, and whether training goes back.</returns>
    public (Manifest Next, bool Retreats) Refuse(bool broken, bool finite)
    {
        Manifest refused = this with { Refused = Refused + 1, RefusedInARow = RefusedInARow + 1 };
        // Before there is a version, an encoder may still be on its way out of what looks like a collapse; numbers that are none never end.
        var lost = !finite || (Version is not null && (broken || refused.RefusedInARow >= MostRefusals));
        return lost ? (refused.Retreat(), true) : (refused, false);
    }

    /// <summary>Training goes back to the checkpoint of the published version, or to its beginning where there is none.</summary>
    /// <remarks>
    /// The samples since are trained on again, under other randomness. Where that has led to no version a few times in a row, they are skipped:
    /// training must not meet what breaks it for ever.
    /// </remarks>
    public Manifest Retreat()
    {
        Checkpoint good = Versions.FirstOrDefault()?.Checkpoint ?? new Checkpoint { Cursors = [.. State.Cursors.Select(c => c with { Next = 0 })] };
        var skips = RetreatsInARow >= MostRetreats;
        return this with
        {
            // Whatever else the seat delivers, the same round once more included, is built on what is given up.
            Term = Term + 1,
            State = skips ? good with { Cursors = State.Cursors, Progress = Rested(good.Progress) } : good,
            Retreats = Retreats + 1,
            RetreatsInARow = RetreatsInARow + 1,
            RefusedInARow = 0,
        };
    }

    // Idle time that was used up is: what is refused again and again must not be rehearsed for ever either.
    private SeatProgress? Rested(SeatProgress? good) => good is null || State.Progress is null ? good : good with { IdleSteps = State.Progress.IdleSteps };

    private Manifest With(ClusterFate[] fates, PublishedVersion version) => this with
    {
        Fates = fates,
        Versions = Thinned(Versions.Prepend(new KeptVersion(version, State)), version.Version),
        RetreatsInARow = 0,
        RefusedInARow = 0,
    };

    // The published version, the one before it, and of each fourfold age from 2 on the oldest: eight reach back 8,000 versions.
    // Each holds a few megabytes for each part of its checkpoint.
    private static KeptVersion[] Thinned(IEnumerable<KeptVersion> versions, int newest)
    {
        const int MostKept = 8;
        return [.. versions.GroupBy(v => Age(newest - v.Version.Version)).Select(age => age.Last()).Take(MostKept)];

        static int Age(int versions) => versions < 2 ? versions : 2 + (int)Math.Log(versions / 2.0, 4);
    }
}
