namespace Shoal.Benchmarks.Simulation;

/// <summary>What a scenario came to.</summary>
internal sealed record Outcome
{
    /// <summary>The scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>Items a second that were trained on and committed, without failures.</summary>
    public required double TrainRate { get; init; }

    /// <summary>The same as a share of what all silos could do, with failures as often as they come.</summary>
    public required double Training { get; init; }

    /// <summary>The share of what producers sent that was taken in.</summary>
    public required double Ingest { get; init; }

    /// <summary>The share of what clients asked that was answered.</summary>
    public required double Query { get; init; }

    /// <summary>Queries of one shard.</summary>
    public required QueryProbe.Times Queries { get; init; }

    /// <summary>The share of their time that seats trained.</summary>
    public required double RoundEfficiency { get; init; }

    /// <summary>The share of deliveries that came too late.</summary>
    public required double Late { get; init; }

    /// <summary>Parts of rounds, in seconds.</summary>
    public required Phases Phases { get; init; }

    /// <summary>Shards of a silo that died.</summary>
    public required Reopening Reopening { get; init; }

    /// <summary>Seconds of all seats' training that a failure costs.</summary>
    public required double FailureSeconds { get; init; }

    /// <summary>Resident bytes of a busy silo, and of the one that settles.</summary>
    public required (double Each, double Settling) Memory { get; init; }

    /// <summary>Bytes of sidecars on a silo's disk.</summary>
    public required double Disk { get; init; }

    /// <summary>How much of each resource was asked for.</summary>
    public required IReadOnlyList<Use> Uses { get; init; }

    /// <summary>Dollars a day of the store.</summary>
    public required Money Money { get; init; }

    /// <summary>Items that arrived, were trained on for good, wait, and are in the hands of seats.</summary>
    public required (double Arrived, double Trained, double Queued, double InHand) Items { get; init; }

    /// <summary>What is used most, if that is too much; null when nothing is.</summary>
    public Use? Broken => Uses.Where(use => use.IsTooMuch).MaxBy(use => use.Share);
}

/// <summary>How much of a resource was asked for.</summary>
/// <param name="Name">The resource.</param>
/// <param name="Share">The share of what there is; 1 is all of it.</param>
/// <param name="Remedies">What would make it less, in the order in which it is to be tried.</param>
internal sealed record Use(string Name, double Share, params Remedy[] Remedies)
{
    /// <summary>Above this a queue before a resource is long, and the next burst fills it.</summary>
    public const double Limit = 0.8;

    /// <summary>Whether it is too much.</summary>
    public bool IsTooMuch => Share > Limit;

    /// <summary>What is to be tried next; null when all was.</summary>
    /// <param name="tried">What was.</param>
    public Remedy? Next(Remedy tried) => Array.Find(Remedies, remedy => !tried.Has(remedy)) is var next && next != Remedy.None ? next : null;
}

/// <summary>Dollars a day for calls of the store by their kind, and for what is kept.</summary>
/// <param name="Writes">Appends and puts.</param>
/// <param name="Reads">Reads.</param>
/// <param name="Lists">Listings.</param>
/// <param name="Kept">Bytes of items.</param>
internal sealed record Money(double Writes, double Reads, double Lists, double Kept)
{
    /// <summary>All together.</summary>
    public double Total => Writes + Reads + Lists + Kept;
}
