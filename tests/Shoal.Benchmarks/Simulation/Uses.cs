namespace Shoal.Benchmarks.Simulation;

/// <summary>How much of each resource a scenario asks for, and what would make it less.</summary>
internal static class Uses
{
    // ItemIndex: sequence numbers of a shard.
    private const double MostItemsOfAShard = 2_147_483_646;

    // A call that a shard which is opened keeps waiting is given up then: the silo's response timeout.
    private const double ResponseTimeout = 15;

    /// <summary>Adds them up, most used first.</summary>
    /// <param name="scenario">The cluster.</param>
    /// <param name="demand">What flows, were all of it taken in.</param>
    /// <param name="fleet">The simulated silos.</param>
    /// <param name="datasets">The simulated datasets.</param>
    public static IReadOnlyList<Use> Of(Scenario scenario, Flows demand, Fleet fleet, SimulatedDataset[] datasets)
    {
        (Platform platform, Habits habits, Costs costs) = (scenario.Platform, scenario.Habits, fleet.Costs);
        (Station requests, Station storeIn, Station storeOut) = fleet.Store;
        // What was followed, and on top of it the demand in place of what was taken in.
        double With(Station station, double demanded) => station.Utilisation - station.Background + demanded;
        Reopening reopening = Reopening.Of(scenario, costs, demand);
        List<Use> uses =
        [
            new("cores beside training", demand.OtherCores + demand.AssignCores),
            new("a silo's link", Math.Max(demand.SiloIn, demand.SiloOut) / platform.Link),
            new("a model's link", datasets.Max(d => Math.Max(fleet.LinkInto(d.ModelSilo).Utilisation, fleet.LinkOutOf(d.ModelSilo).Utilisation)), Remedy.FewerKeys, Remedy.PlanWhenChanged, Remedy.Groups),
            new("a bank's link", datasets.Max(d => fleet.LinkOutOf(d.BankSilo).Utilisation), Remedy.BankFromStore, Remedy.Groups),
            new("a model's turn", datasets.Max(d => d.Turn.Utilisation), Remedy.AnswerWhenOver, Remedy.PlanWhenChanged, Remedy.PollPerSilo, Remedy.Groups),
            new("a bank's turn", datasets.Max(d => d.BankTurn.Utilisation), Remedy.BankFromStore, Remedy.Groups),
            new("a dataset's turn", demand.DatasetTurn, Remedy.PlanWhenChanged, Remedy.PollPerSilo),
            new("the first silo's turn of asking", demand.Starter, Remedy.StarterPerSilo),
            new("a shard's turn", demand.ShardTurn + (demand.QueriesOfAShard * costs.Query), Remedy.MoreShards),
            new("the store's requests", With(requests, demand.StoreRequests / (platform.StoreRequests * scenario.Accounts)), Remedy.KeepTails, Remedy.OneLogASilo, Remedy.MoreAccounts),
            new("the store's link in", With(storeIn, demand.StoreIn / (platform.StoreIngress * scenario.Accounts)), Remedy.MoreAccounts),
            new("the store's link out", With(storeOut, demand.StoreOut / (platform.StoreEgress * scenario.Accounts)), Remedy.KeepTails, Remedy.MoreAccounts),
            new("one blob's requests", datasets.Max(d => d.Blob.Utilisation), Remedy.Groups),
            new("queues of hints", demand.Hints, Remedy.FewerHints),
            new("the table of members", demand.TableBytes / platform.TableLink, Remedy.GatewaysByGossip),
            new("memory", Math.Max(Memory(scenario, costs).Each, Memory(scenario, costs).Settling) / platform.Memory, [.. Fewer(scenario), Remedy.Groups]),
            new("disk", Disk(scenario, costs) / platform.Disk),
            new("numbers of a shard's items", scenario.Items / ((double)scenario.Datasets * scenario.Shards) / MostItemsOfAShard, Remedy.MoreShards),
            new("silos without a seat", (scenario.Silos / (double)scenario.Busy) - 1, Remedy.MoreShards),
            new("opening a dead silo's shards", reopening.Open / ResponseTimeout, Remedy.MoreShards),
            new("assigning all items anew in a day", scenario.Items / demand.MostRefreshed / Flows.Day, Remedy.MoreRefresh),
        ];
        AddRounds(uses, scenario, habits, fleet.Phases);
        return [.. uses.OrderByDescending(use => use.Share)];
    }

    /// <summary>Resident bytes of a silo with its share of everything, and of one that settles a round beside it.</summary>
    /// <param name="scenario">The cluster.</param>
    /// <param name="costs">What things cost.</param>
    public static (double Each, double Settling) Memory(Scenario scenario, Costs costs)
    {
        var seats = (double)scenario.Datasets * scenario.Seats / scenario.Silos;
        var each = costs.SiloMemory + (scenario.Items / scenario.Busy * costs.ItemMemory) + costs.FirstSeatMemory + (Math.Max(0, seats - 1) * costs.SeatMemory);
        var merged = scenario.Remedies.Has(Remedy.Groups) ? Math.Min(16, scenario.Seats) : scenario.Seats;
        // What is read lies there twice: as it came, and as tensors.
        return (each, each + (scenario.Seats > 1 ? 2 * merged * (costs.Model + costs.Progress) : 0));
    }

    /// <summary>Bytes of sidecars on a busy silo's disk.</summary>
    /// <param name="scenario">The cluster.</param>
    /// <param name="costs">What things cost.</param>
    public static double Disk(Scenario scenario, Costs costs) => scenario.Items / scenario.Busy * costs.ItemDisk;

    // Of rounds with several seats. Which part of the waiting is the longest says what would make it less.
    private static void AddRounds(List<Use> uses, Scenario scenario, Habits habits, Phases phases)
    {
        if (scenario.Seats == 1)
        {
            // Alone a seat settles on the time that it would train in.
            uses.Add(new Use("a lone seat's settling", phases.Mean("settling") / habits.RoundSeconds / (scenario.Remedies.Has(Remedy.RoundsByWork) ? Math.Max(1, scenario.SeatsOfASilo) : 1), Remedy.RoundsByWork));
            return;
        }

        (string Phase, Remedy[] Remedies)[] parts =
        [
            ("settling", [Remedy.Groups]),
            ("pushing", [Remedy.Groups]),
            ("committing", [Remedy.PollPerSilo]),
        ];
        (_, Remedy[] forWaiting) = parts.MaxBy(part => phases.Mean(part.Phase));
        (string Phase, Remedy[] Remedies)[] before =
        [
            ("adopting", [Remedy.BankFromStore, Remedy.Groups]),
            ("delivering", [Remedy.FewerKeys, Remedy.AnswerWhenOver, Remedy.Groups]),
            ("writing", [Remedy.MoreAccounts]),
        ];
        (_, Remedy[] forSlack) = before.MaxBy(part => phases.Mean(part.Phase));
        // Seats train on while a round is merged, until the next one is over: three times its settings at the latest.
        uses.Add(new Use("a round's wait", phases.Mean("waiting") / (habits.MostRounds * habits.RoundSeconds), [.. Fewer(scenario), .. forWaiting]));
        uses.Add(new Use("patience for deliveries", phases.Mean("slack") / habits.RoundPatience, [.. Fewer(scenario), .. forSlack]));
        uses.Add(new Use("patience for settling", phases.Mean("settling") / habits.SettlePatience, [.. Fewer(scenario), Remedy.Groups]));
    }

    // Where several datasets share the silos.
    private static Remedy[] Fewer(Scenario scenario) => scenario.Datasets > 1 ? [Remedy.FewerSeats] : [];
}
