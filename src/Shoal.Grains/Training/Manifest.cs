using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>The small object, swapped by ETag, that names everything needed to go on after a crash.</summary>
internal sealed record Manifest
{
    /// <summary>The format that this program writes and reads: 2 named encoders' layers anew and kept segments of replay, 3 keeps the clusters of replayed samples.</summary>
    public const int CurrentFormat = 3;

    /// <summary>The format of this manifest.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Why this program cannot go on from here, and what to do; null when it can.</summary>
    public string? FormatProblem() => Format switch
    {
        > CurrentFormat => $"it has format {Format}, this program reads {CurrentFormat}. Update the program.",
        < CurrentFormat => $"it has format {Format} of an older program, this one reads {CurrentFormat}. Begin in another data folder and ingest again, or go on with that program.",
        _ => null,
    };

    /// <summary>The number of the last deal; deliveries of an older one are refused.</summary>
    public long Term { get; init; }

    /// <summary>The round that begins from this manifest.</summary>
    public long Round { get; init; }

    /// <summary>Where each shard is trained next.</summary>
    public ShardCursor[] Cursors { get; init; } = [];

    /// <summary>The parts of the seat's state by name.</summary>
    public Dictionary<string, Claim> Parts { get; init; } = [];

    /// <summary>The memory bank; null while it is empty.</summary>
    public Claim? Bank { get; init; }

    /// <summary>The published version; null when none is.</summary>
    public PublishedVersion? Version { get; init; }

    /// <summary>Earlier versions, newest first, whose objects are kept.</summary>
    public PublishedVersion[] History { get; init; } = [];

    /// <summary>The cluster id of each prototype.</summary>
    public long[] Slots { get; init; } = [];

    /// <summary>The next cluster id; ids are never reused.</summary>
    public long NextCluster { get; init; } = 1;

    /// <summary>The seat's progress at the end of the last round.</summary>
    public SeatProgress? Progress { get; init; }

    /// <summary>Candidates that were refused.</summary>
    public long Refused { get; init; }

    /// <summary>Every object that this manifest needs.</summary>
    public IEnumerable<string> Objects()
    {
        IEnumerable<Claim?> claims = [.. Parts.Values, Bank, Version?.Model, .. History.Select(v => v.Model)];
        return claims.OfType<Claim>().Select(c => c.Name);
    }
}
