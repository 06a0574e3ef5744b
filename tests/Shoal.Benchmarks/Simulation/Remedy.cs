namespace Shoal.Benchmarks.Simulation;

/// <summary>Changes to the program that the simulation can switch on. None of them is made yet.</summary>
[Flags]
internal enum Remedy
{
    /// <summary>As the program is.</summary>
    None = 0,

    /// <summary>A seat hands over no more keys than its share of the bank.</summary>
    FewerKeys = 1 << 0,

    /// <summary>The question for a round's outcome is answered when there is one.</summary>
    AnswerWhenOver = 1 << 1,

    /// <summary>Seats read the bank from the store, where it was just written, and not from its grain.</summary>
    BankFromStore = 1 << 2,

    /// <summary>Seats in groups of sixteen, and these in groups again: models are merged, and handed back, along a tree.</summary>
    Groups = 1 << 3,

    /// <summary>A shard that knows how things stand is told so, and nothing more.</summary>
    PlanWhenChanged = 1 << 4,

    /// <summary>One question of a silo for all its shards of a dataset.</summary>
    PollPerSilo = 1 << 5,

    /// <summary>Four shards for each silo.</summary>
    MoreShards = 1 << 6,

    /// <summary>A shard keeps what was just appended for its two readers.</summary>
    KeepTails = 1 << 7,

    /// <summary>A storage account for every hundred silos.</summary>
    MoreAccounts = 1 << 8,

    /// <summary>A shard sends a hint at most ten times a second.</summary>
    FewerHints = 1 << 9,

    /// <summary>Gateways are asked of a silo's own list of members, not of the table.</summary>
    GatewaysByGossip = 1 << 10,

    /// <summary>Every silo looks after some of the datasets.</summary>
    StarterPerSilo = 1 << 11,

    /// <summary>The rounds of a seat that is alone are as long as they are by the compute thread's time that it got, and not by the clock.</summary>
    RoundsByWork = 1 << 12,

    /// <summary>As much of the compute thread for old assignments as all of them in a day ask for, up to ten times as much.</summary>
    MoreRefresh = 1 << 13,

    /// <summary>The shards of a silo append together, twenty times a second.</summary>
    OneLogASilo = 1 << 14,

    /// <summary>A dataset has seats on its share of the silos, and not on all of them.</summary>
    FewerSeats = 1 << 15,
}

/// <summary>Names and meanings of remedies.</summary>
internal static class Remedies
{
    /// <summary>Every one, alone.</summary>
    public static IReadOnlyList<Remedy> Each { get; } = [.. Enum.GetValues<Remedy>().Where(remedy => remedy != Remedy.None)];

    /// <summary>All together.</summary>
    public static Remedy All { get; } = Each.Aggregate(Remedy.None, (all, remedy) => all | remedy);

    /// <summary>Whether one is among some.</summary>
    /// <param name="some">The ones.</param>
    /// <param name="one">The one.</param>
    public static bool Has(this Remedy some, Remedy one) => (some & one) == one;
}
