namespace Shoal.Benchmarks.Simulation;

/// <summary>Finds the order of changes: what is used most gets its next remedy, until nothing is used too much or nothing more is known.</summary>
internal static class Ladder
{
    /// <summary>Climbs it.</summary>
    /// <param name="scenario">The cluster, as the program is.</param>
    /// <param name="costs">What things cost.</param>
    /// <returns>Each step: what was changed for what, and what came of it. The first one changes nothing.</returns>
    public static IEnumerable<(Remedy Changed, string For, Outcome Outcome)> Climb(Scenario scenario, Costs costs)
    {
        Outcome outcome = Simulator.Run(scenario, costs);
        yield return (Remedy.None, string.Empty, outcome);
        while (Next(outcome) is var (use, remedy))
        {
            scenario = scenario with { Remedies = scenario.Remedies | remedy };
            outcome = Simulator.Run(scenario, costs);
            yield return (remedy, use.Name, outcome);
        }
    }

    private static (Use Use, Remedy Remedy)? Next(Outcome outcome)
    {
        foreach (Use use in outcome.Uses.Where(use => use.IsTooMuch))
        {
            if (use.Next(outcome.Scenario.Remedies) is { } remedy)
            {
                return (use, remedy);
            }
        }

        return null;
    }
}
