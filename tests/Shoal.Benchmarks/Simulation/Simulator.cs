namespace Shoal.Benchmarks.Simulation;

/// <summary>Runs a scenario.</summary>
internal static class Simulator
{
    // In rounds: they find their length; then what is steady is measured; then a silo is killed, and training has so long to go on.
    private const double WarmUp = 9;
    private const double Steady = 30;
    private const double After = 24;

    private const int FollowedQueries = 20_000;

    /// <summary>Runs it.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="costs">What things cost.</param>
    public static Outcome Run(Scenario scenario, Costs costs)
    {
        // What cannot be taken in is turned away, and then takes nothing.
        var demand = new Flows(scenario, costs);
        var flows = new Flows(scenario, costs, demand.Admitted);
        var loop = new EventLoop();
        var fleet = new Fleet(loop, scenario, costs, flows);
        SimulatedDataset[] datasets = [.. Enumerable.Range(0, scenario.Datasets).Select(number => new SimulatedDataset(fleet, number))];
        Array.ForEach(datasets, dataset => dataset.Start());
        // Where rounds are as long as a seat's share of the thread makes them, everything takes as much longer.
        var round = scenario.Habits.RoundSeconds * (scenario.Remedies.Has(Remedy.RoundsByWork) && scenario.Seats == 1 ? Math.Max(1, scenario.SeatsOfASilo) : 1);
        (var from, var to) = (WarmUp * round, (WarmUp + Steady) * round);
        loop.Run(to);

        var rate = datasets.Sum(dataset => Rate(dataset.Commits, from, to));
        var efficiency = datasets.Average(dataset => Efficiency(dataset, from, to));
        var uses = Uses.Of(scenario, demand, fleet, datasets);
        Reopening reopening = Reopening.Of(scenario, costs, flows);
        (var inTime, var late) = (datasets.Sum(d => d.Deliveries.InTime), datasets.Sum(d => d.Deliveries.Late));
        var (writes, lists, reads) = fleet.Calls;
        var lost = scenario.Kills ? Fail(loop, fleet, datasets, reopening, rate, (from, After * round)) : 0;
        Array.ForEach(datasets, dataset => dataset.Backlog.Advance(loop.Now));

        var failures = scenario.Silos / scenario.Platform.TimeBetweenFailures;
        var turn = Math.Min(0.98, flows.ShardTurn);
        QueryProbe.Times queries = QueryProbe.Follow(FollowedQueries, flows.QueriesOfAShard, costs.Query, turn, scenario.Seed);
        return new Outcome
        {
            Scenario = scenario,
            TrainRate = rate,
            Training = rate / demand.IdealRate * Math.Max(0, 1 - (failures * lost)),
            Ingest = demand.Admitted,
            Query = Math.Min(1, (1 - turn) / Math.Max(1e-9, flows.QueriesOfAShard * costs.Query)),
            Queries = queries,
            RoundEfficiency = efficiency,
            Late = inTime + late == 0 ? 0 : (double)late / (inTime + late),
            Phases = fleet.Phases,
            Reopening = reopening,
            FailureSeconds = lost,
            Memory = Uses.Memory(scenario, costs),
            Disk = Uses.Disk(scenario, costs),
            Uses = uses,
            Money = Price(scenario, costs, flows, writes / to, lists / to, reads / to),
            Items = (datasets.Sum(d => d.Backlog.Arrived), datasets.Sum(d => d.Backlog.Trained), datasets.Sum(d => d.Backlog.Queued), datasets.Sum(d => d.Backlog.InHand)),
        };
    }

    // Between the first and the last commit; where there are none, nothing is trained on for good.
    private static double Rate(List<(double At, double Trained)> commits, double from, double to)
    {
        (double At, double Trained)[] steady = [.. commits.Where(commit => commit.At >= from && commit.At <= to)];
        return steady.Length > 1 ? (steady[^1].Trained - steady[0].Trained) / (steady[^1].At - steady[0].At) : commits.LastOrDefault().Trained / to;
    }

    private static double Efficiency(SimulatedDataset dataset, double from, double to) =>
        dataset.Trainings.Sum(training => Math.Max(0, training.To - Math.Max(from, training.From))) / (dataset.Seats * (to - from));

    /// <summary>Kills a silo, and says how many seconds of training of all seats that costs.</summary>
    private static double Fail(EventLoop loop, Fleet fleet, SimulatedDataset[] datasets, Reopening reopening, double rate, (double From, double After) times)
    {
        Scenario scenario = fleet.Scenario;
        (var at, var before) = (loop.Now, datasets.Sum(dataset => dataset.Backlog.Trained));
        (double At, double Trained)[] last = Array.ConvertAll(datasets, dataset => dataset.Commits.LastOrDefault());
        var dead = datasets[0].SiloOf(datasets[0].Seats - 1);
        Array.ForEach(datasets, dataset => dataset.Kill(dead));
        (var seconds, var missed) = scenario.Habits.Probes;
        loop.At(at + (seconds * missed) + 1, () => Array.ForEach(datasets, dataset => dataset.KnowDead()));
        loop.Run(at + times.After);
        if (rate <= 0)
        {
            return times.After;
        }

        // Whole rounds only: what would have been trained on from the last commit before to the last one after, and what was.
        var due = datasets.Zip(last, (dataset, commit) => Rate(dataset.Commits, times.From, at) * (dataset.Commits.LastOrDefault().At - commit.At)).Sum();
        var done = datasets.Sum(dataset => dataset.Backlog.Trained) - before;
        return Math.Clamp((due - done) / rate, 0, times.After);
    }

    private static Money Price(Scenario scenario, Costs costs, Flows flows, double writes, double lists, double reads)
    {
        (double Write, double List, double Read) = scenario.Platform.Prices;
        return new Money(
            (flows.Appends + writes) * Flows.Day * Write,
            (flows.Reads + reads) * Flows.Day * Read,
            lists * Flows.Day * List,
            scenario.Items * costs.RecordBytes * scenario.Platform.StoredByteDay);
    }
}
