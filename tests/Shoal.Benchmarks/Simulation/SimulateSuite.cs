using System.Globalization;

namespace Shoal.Benchmarks.Simulation;

/// <summary>What a grid of clusters is simulated for.</summary>
/// <param name="Constants">The file of constants.</param>
/// <param name="Silos">Numbers of silos.</param>
/// <param name="Items">Numbers of items.</param>
/// <param name="Datasets">Numbers of datasets.</param>
/// <param name="Seed">The seed.</param>
internal sealed record SimulateRequest(string Constants, IReadOnlyList<int> Silos, IReadOnlyList<double> Items, IReadOnlyList<int> Datasets, int Seed);

/// <summary>Simulates clusters of many sizes, as the program is and with what would make it reach farther, and prints tables; or, as JSON, every figure of every cluster.</summary>
internal static class SimulateSuite
{
    /// <summary>The committed constants: what is used unless another file is named, from whichever folder it is called.</summary>
    public static string DefaultConstants => Path.Combine(Root(new DirectoryInfo(AppContext.BaseDirectory)), "docs", "results", "capacity.jsonl");

    /// <summary>Runs it.</summary>
    /// <param name="request">The grid.</param>
    /// <param name="figures">Where figures go.</param>
    public static Task RunAsync(SimulateRequest request, FigureWriter figures)
    {
        Costs costs = Costs.Read(request.Constants);
        foreach (var datasets in request.Datasets)
        {
            Outcome[] asIs = Grid(request, costs, datasets, Remedy.None);
            Outcome[] changed = Grid(request, costs, datasets, Remedies.All);
            (Remedy Changed, string For, Outcome Outcome)[] ladder = [.. Ladder.Climb(Scenario(request, request.Silos[^1], request.Items[request.Items.Count / 2], datasets), costs)];
            if (figures.Json)
            {
                foreach (Outcome outcome in asIs.Concat(changed).Concat(ladder.Select(step => step.Outcome)))
                {
                    Write(outcome, figures);
                }

                continue;
            }

            var items = request.Items[request.Items.Count / 2];
            SimulationTables.Sizes($"As the program is: {Count(datasets)}, {SimulationTables.Power(items)} items", asIs.Where(o => o.Scenario.Items == items));
            SimulationTables.Limits($"The fewest silos at which more than {Use.Limit:P0} of it is asked for: {Count(datasets)}, by items", asIs);
            SimulationTables.Stored($"What items take: {Count(datasets)}", asIs);
            SimulationTables.Steps($"What to change, in which order: {request.Silos[^1]:N0} silos, {Count(datasets)}, {SimulationTables.Power(items)} items", ladder);
            SimulationTables.Sizes($"With every change: {Count(datasets)}, {SimulationTables.Power(items)} items", changed.Where(o => o.Scenario.Items == items));
            SimulationTables.Limits($"The fewest silos at which more than {Use.Limit:P0} of it is asked for, with every change: {Count(datasets)}, by items", changed);
        }

        return Task.CompletedTask;
    }

    /// <summary>Reads numbers of a command line, <c>1,3,10</c>, <c>1e6,1e8</c>.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The numbers; null when one is none or below 1.</returns>
    public static IReadOnlyList<double>? Numbers(string text)
    {
        double[] numbers = Array.ConvertAll(text.Split(','), word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0);
        return Array.TrueForAll(numbers, number => number >= 1 && double.IsFinite(number)) ? [.. numbers.Order()] : null;
    }

    // Of the repository; the working directory where this runs without one.
    private static string Root(DirectoryInfo? folder) =>
        folder is null ? Environment.CurrentDirectory : File.Exists(Path.Combine(folder.FullName, "Shoal.slnx")) ? folder.FullName : Root(folder.Parent);

    private static Outcome[] Grid(SimulateRequest request, Costs costs, int datasets, Remedy remedies) =>
        [.. request.Items.SelectMany(items => request.Silos.Select(silos => Simulator.Run(Scenario(request, silos, items, datasets) with { Remedies = remedies }, costs)))];

    private static Scenario Scenario(SimulateRequest request, int silos, double items, int datasets) => new() { Silos = silos, Items = items, Datasets = datasets, Seed = request.Seed };

    private static string Count(int datasets) => datasets == 1 ? "one dataset" : $"{datasets:N0} datasets";

    private static void Write(Outcome outcome, FigureWriter figures)
    {
        Scenario scenario = outcome.Scenario;
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["silos"] = scenario.Silos,
            ["items"] = scenario.Items,
            ["datasets"] = scenario.Datasets,
            ["remedies"] = scenario.Remedies.ToString(),
        };
        void Print(string name, double value, string unit) => figures.Write("simulate." + name, value, unit, scenario.Seed, settings);
        Print("train_rate", outcome.TrainRate, "items/s");
        Print("training", outcome.Training, "fraction");
        Print("ingest", outcome.Ingest, "fraction");
        Print("query", outcome.Query, "fraction");
        Print("query_p50_us", outcome.Queries.P50 * 1e6, "us");
        Print("query_p99_us", outcome.Queries.P99 * 1e6, "us");
        Print("round_efficiency", outcome.RoundEfficiency, "fraction");
        Print("late", outcome.Late, "fraction");
        Print("failure_seconds", outcome.FailureSeconds, "s");
        Print("reopen_seconds", outcome.Reopening.Open, "s");
        Print("memory_bytes", outcome.Memory.Each, "bytes/silo");
        Print("disk_bytes", outcome.Disk, "bytes/silo");
        Print("dollars_writes", outcome.Money.Writes, "$/day");
        Print("dollars_reads", outcome.Money.Reads, "$/day");
        Print("dollars_lists", outcome.Money.Lists, "$/day");
        Print("dollars_kept", outcome.Money.Kept, "$/day");
        foreach (Use use in outcome.Uses)
        {
            Print("use." + use.Name.Replace(' ', '_'), use.Share, "fraction");
        }
    }
}
