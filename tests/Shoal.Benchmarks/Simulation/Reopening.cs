namespace Shoal.Benchmarks.Simulation;

/// <summary>What becomes of the shards of a silo that died: opened elsewhere, with sidecars that come from the store.</summary>
/// <param name="Open">Seconds until the last of them answers.</param>
/// <param name="Silos">Silos that have them then.</param>
internal sealed record Reopening(double Open, double Silos)
{
    /// <summary>Adds it up.</summary>
    /// <param name="scenario">The cluster.</param>
    /// <param name="costs">What things cost.</param>
    /// <param name="flows">What flows.</param>
    public static Reopening Of(Scenario scenario, Costs costs, Flows flows)
    {
        Platform platform = scenario.Platform;
        var all = (double)scenario.Datasets * scenario.Shards;
        var shards = Math.Ceiling(all / scenario.Busy);
        var others = Math.Max(1, scenario.Silos - 1);
        var silos = Math.Min(shards, others);
        var each = Math.Ceiling(shards / silos);
        var items = scenario.Items / all;
        double free(double background) => Math.Max(0.02, 1 - background);
        var link = platform.Link * free(flows.SiloIn / platform.Link) / each;
        var store = platform.StoreEgress * scenario.Accounts * free(flows.StoreOut / (platform.StoreEgress * scenario.Accounts)) / shards;
        if (scenario.Silos == 1)
        {
            // It starts again, where its sidecars are.
            return new Reopening(items * costs.Open * Math.Ceiling(shards / platform.Cores), 1);
        }

        var sidecars = items * costs.ItemDisk;
        return new Reopening((sidecars / Math.Min(link, store)) + (items * costs.Open), silos);
    }
}
