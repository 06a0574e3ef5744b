using System.Globalization;

namespace Shoal.Benchmarks.Simulation;

/// <summary>Prints outcomes as the tables that docs/architecture/scaling.md shows.</summary>
internal static class SimulationTables
{
    /// <summary>A row for each size of the cluster.</summary>
    /// <param name="title">What it is about.</param>
    /// <param name="outcomes">Outcomes of one number of items.</param>
    public static void Sizes(string title, IEnumerable<Outcome> outcomes) => Print(
        title,
        ["silos", "seats", "training", "ingest", "queries", "p99 at a shard", "rounds train", "late", "a failure costs", "used most", "of it"],
        outcomes.Select(o => new[]
        {
            o.Scenario.Silos.ToString("N0"), o.Scenario.Seats.ToString("N0"), Share(o.Training), Share(o.Ingest), Share(o.Query), $"{o.Queries.P99 * 1e6:N0} us",
            Share(o.RoundEfficiency), Share(o.Late), $"{o.FailureSeconds:N0} s", o.Uses[0].Name, Times(o.Uses[0].Share),
        }));

    /// <summary>A row for each resource that is used too much somewhere.</summary>
    /// <param name="title">What it is about.</param>
    /// <param name="outcomes">Outcomes of all sizes.</param>
    public static void Limits(string title, IReadOnlyCollection<Outcome> outcomes)
    {
        double[] items = [.. outcomes.Select(o => o.Scenario.Items).Distinct().Order()];
        int? Fewest(string name, double count) => outcomes.Where(o => o.Scenario.Items == count && o.Uses.Any(use => use.IsTooMuch && string.Equals(use.Name, name, StringComparison.Ordinal)))
            .Select(o => (int?)o.Scenario.Silos).Min();
        (string Name, int?[] Fewest)[] rows = [.. outcomes.First().Uses.Concat(outcomes.Last().Uses).Select(use => use.Name).Distinct(StringComparer.Ordinal)
            .Select(name => (name, Array.ConvertAll(items, count => Fewest(name, count))))
            .Where(row => Array.Exists(row.Item2, fewest => fewest is not null))
            .OrderBy(row => row.Item2.Min()).ThenBy(row => row.name, StringComparer.Ordinal)];
        Print(title, ["resource", .. items.Select(Power)], rows.Select(row => (string[])[row.Name, .. row.Fewest.Select(fewest => fewest?.ToString("N0") ?? "-")]));
    }

    /// <summary>What items take of memory, disk and money, and what it takes to open shards again.</summary>
    /// <param name="title">What it is about.</param>
    /// <param name="outcomes">Outcomes of all sizes.</param>
    public static void Stored(string title, IEnumerable<Outcome> outcomes) => Print(
        title,
        ["items", "silos", "memory of a silo", "disk of a silo", "opened again", "all assigned anew", "$ a day: writes", "reads", "lists", "kept"],
        outcomes.Where(o => o.Scenario.Silos is 1 or 10 or 100 or 1_000).Select(o => new[]
        {
            Power(o.Scenario.Items), o.Scenario.Silos.ToString("N0"), Bytes(o.Memory.Each), Bytes(o.Disk), Time(o.Reopening.Open),
            Time(o.Uses.First(use => use.Name.StartsWith("assigning all", StringComparison.Ordinal)).Share * Flows.Day),
            Dollars(o.Money.Writes), Dollars(o.Money.Reads), Dollars(o.Money.Lists), Dollars(o.Money.Kept),
        }));

    /// <summary>A row for each change, one on top of the other.</summary>
    /// <param name="title">What it is about.</param>
    /// <param name="steps">The steps.</param>
    public static void Steps(string title, IEnumerable<(Remedy Changed, string For, Outcome Outcome)> steps) => Print(
        title,
        ["change", "for", "training", "ingest", "rounds train", "then used most", "of it"],
        steps.Select(step => new[]
        {
            step.Changed == Remedy.None ? "none" : $"`{step.Changed}`", step.For, Share(step.Outcome.Training), Share(step.Outcome.Ingest), Share(step.Outcome.RoundEfficiency),
            step.Outcome.Uses[0].Name, Times(step.Outcome.Uses[0].Share),
        }));

    /// <summary>A number of items.</summary>
    /// <param name="items">The number.</param>
    public static string Power(double items) => Math.Log10(items) is var power && power == Math.Floor(power) ? $"10^{power:0}" : items.ToString("N0", CultureInfo.InvariantCulture);

    private static void Print(string title, string[] heads, IEnumerable<string[]> rows)
    {
        Console.Out.WriteLine($"{title}:");
        Console.Out.WriteLine();
        Console.Out.WriteLine($"| {string.Join(" | ", heads)} |");
        Console.Out.WriteLine($"|{string.Concat(heads.Select(_ => " --- |"))}");
        foreach (var row in rows)
        {
            Console.Out.WriteLine($"| {string.Join(" | ", row)} |");
        }

        Console.Out.WriteLine();
    }

    private static string Share(double share) => share.ToString("0.00");

    private static string Times(double share) => share.ToString(share < 10 ? "0.0" : "N0");

    private static string Bytes(double bytes) => bytes < 1e9 ? $"{bytes / 1e6:N0} MB" : bytes < 1e12 ? $"{bytes / 1e9:N1} GB" : $"{bytes / 1e12:N1} TB";

    private static string Time(double seconds) => seconds < 120 ? $"{seconds:0.0} s" : seconds < 7_200 ? $"{seconds / 60:N0} min" : seconds < 172_800 ? $"{seconds / 3_600:N0} h" : $"{seconds / Flows.Day:N0} days";

    private static string Dollars(double dollars) => dollars < 10 ? dollars.ToString("0.00") : dollars.ToString("N0");
}
