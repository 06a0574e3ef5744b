namespace Shoal.Benchmarks.Simulation;

/// <summary>What becomes of the shards of a silo that died: opened elsewhere, without sidecars, and their items embedded and assigned again.</summary>
/// <param name="Open">Seconds until the last of them answers.</param>
/// <param name="Assign">Seconds after that until their items are assigned.</param>
/// <param name="Silos">Silos that have them then.</param>
internal sealed record Reopening(double Open, double Assign, double Silos)
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
            return new Reopening(items * costs.Open * Math.Ceiling(shards / platform.Cores), 0, 1);
        }

        if (scenario.Remedies.Has(Remedy.MovingSidecars))
        {
            var sidecars = items * costs.ItemDisk;
            return new Reopening((sidecars / Math.Min(link, store)) + (items * costs.Open), 0, silos);
        }

        // One read after the other, and records are checked in between.
        var bytes = items * costs.RecordBytes;
        var reads = bytes / scenario.Habits.ScanBytes * platform.StoreLatency;
        var open = Math.Max(bytes / Math.Min(link, store), reads + (items * costs.Rebuild));
        return new Reopening(open, items * each * costs.Assign / platform.Cores, silos);
    }
}
