using System.Text.Json;
using Shoal.Benchmarks.Simulation;
using Shoal.Contracts;

namespace Shoal.Chaos.Tests.Simulation;

/// <summary>The simulation of clusters, against what was measured, what must hold, and itself.</summary>
public sealed class SimulatorTests
{
    // Of what was measured. Nothing is simulated of what shares the two cores that it was measured on: the client, the list of silos, the compiler.
    private const double Margin = 1.0 / 3;

    // Relative; sums of doubles.
    private const double Rounding = 1e-9;

    private static readonly Costs Costs = Costs.Read(Committed("capacity.jsonl"));

    [Fact]
    public void One_silo_trains_as_fast_as_was_measured() =>
        Assert.InRange(Simulator.Run(OneHost(1), Costs).TrainRate / Measured("scale.samples_per_second", silos: 1), 1 - Margin, 1 + Margin);

    [Fact]
    public void Two_silos_are_as_much_faster_than_one_as_was_measured() => Assert.InRange(SpeedUp(Platform.OneHost) / Measured("scale.speedup"), 1 - Margin, 1 + Margin);

    [Fact]
    public void A_simulation_that_gives_each_silo_both_cores_is_found_out() =>
        Assert.NotInRange(SpeedUp(Platform.OneHost with { Cores = 2 }) / Measured("scale.speedup"), 1 - Margin, 1 + Margin);

    [Fact]
    public void A_simulation_whose_rounds_wait_too_long_is_found_out() =>
        Assert.NotInRange(SpeedUp(Platform.OneHost with { StoreLatency = 2 }) / Measured("scale.speedup"), 1 - Margin, 1 + Margin);

    [Theory]
    [InlineData(1, 1, "None")]
    [InlineData(3, 1, "None")]
    [InlineData(100, 1, "None")]
    [InlineData(600, 1, "MoreShards")]
    [InlineData(600, 1, "MoreShards, Groups, MoreAccounts")]
    [InlineData(10, 7, "None")]
    [InlineData(3, 20, "FewerSeats, RoundsByWork")]
    public void Every_item_that_arrived_is_trained_on_or_waits(int silos, int datasets, string remedies)
    {
        Outcome outcome = Simulator.Run(new Scenario { Silos = silos, Items = 1e8, Datasets = datasets, Remedies = Enum.Parse<Remedy>(remedies), Backlog = 1e6 }, Costs);
        (var arrived, var trained, var queued, var inHand) = outcome.Items;
        Assert.True(arrived > 1e6);
        Assert.InRange((trained + queued + inHand) / arrived, 1 - Rounding, 1 + Rounding);
    }

    [Fact]
    public void The_same_seed_gives_the_same_outcome_and_another_one_another()
    {
        string Run(int seed) => JsonSerializer.Serialize(Simulator.Run(new Scenario { Silos = 30, Items = 1e8, Datasets = 3, Seed = seed }, Costs).Uses) + Simulator.Run(new Scenario { Silos = 30, Items = 1e8, Datasets = 3, Seed = seed }, Costs).TrainRate;
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Fact]
    public void A_thousand_silos_do_more_with_every_change_than_as_the_program_is()
    {
        (Remedy Changed, string For, Outcome Outcome)[] steps = [.. Ladder.Climb(new Scenario { Silos = 1_000, Items = 1e8, Datasets = 1 }, Costs)];
        Assert.True(steps.Length > 3);
        Assert.True(steps[^1].Outcome.Training > 2 * steps[0].Outcome.Training);
        Assert.Equal(steps.Length - 1, steps.Skip(1).Select(step => step.Changed).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Each))]
    public void Every_change_makes_something_less_used(string name)
    {
        Remedy remedy = Enum.Parse<Remedy>(name);
        // Where it matters: many silos, many shards, many items; one dataset, or several.
        Scenario[] scenarios =
        [
            new() { Silos = 300, Items = 1e10, Datasets = 1, ShardsPerDataset = 1_200, Kills = false },
            new() { Silos = 300, Items = 1e8, Datasets = 1, Kills = false },
            new() { Silos = 10, Items = 1e10, Datasets = 1, Kills = false },
            new() { Silos = 4, Items = 1e8, Datasets = 40, Kills = false, Remedies = remedy == Remedy.RoundsByWork ? Remedy.FewerSeats : Remedy.None },
        ];
        Assert.Contains(scenarios, scenario =>
        {
            IReadOnlyList<Use> without = Simulator.Run(scenario, Costs).Uses;
            IReadOnlyList<Use> with = Simulator.Run(scenario with { Remedies = scenario.Remedies | remedy, ShardsPerDataset = remedy == Remedy.MoreShards ? null : scenario.ShardsPerDataset }, Costs).Uses;
            return without.Any(use => use.Remedies.Contains(remedy) && use.Share > 0 && with.Any(other => string.Equals(other.Name, use.Name, StringComparison.Ordinal) && other.Share < 0.95 * use.Share));
        });
    }

    public static TheoryData<string> Each() => [.. Remedies.Each.Select(remedy => remedy.ToString())];

    [Fact]
    public void Constants_that_lack_a_figure_say_which_and_how_to_make_them()
    {
        var folder = Directory.CreateTempSubdirectory("shoal-constants-");
        try
        {
            var file = Path.Combine(folder.FullName, "some.jsonl");
            File.WriteAllLines(file, File.ReadLines(Committed("capacity.jsonl")).Where(line => !line.Contains("scale.assign_cpu_us", StringComparison.Ordinal)));
            Assert.Equal($"'{file}' lacks 'scale.assign_cpu_us'; make it anew with: ./shoal bench capacity --json > {file}", Assert.Throws<ShoalException>(() => Costs.Read(file)).Message);
            File.WriteAllText(file, "no figure");
            Assert.StartsWith($"'{file}' holds a line that is no figure: no figure", Assert.Throws<ShoalException>(() => Costs.Read(file)).Message, StringComparison.Ordinal);
            Assert.StartsWith("There are no constants at", Assert.Throws<ShoalException>(() => Costs.Read(file + ".none")).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // As ./shoal bench scale: all is in the log before training begins, and nobody sends or asks.
    private static Scenario OneHost(int silos) => new()
    {
        Silos = silos,
        Items = 60_000,
        Datasets = 1,
        ShardsPerDataset = new DatasetSettings().Shards,
        Load = 0,
        Backlog = 1e8,
        QueriesPerSilo = 0,
        Kills = false,
        Platform = Platform.OneHost,
    };

    // Two silos of a platform against one silo as it was measured.
    private static double SpeedUp(Platform two) => Simulator.Run(OneHost(2) with { Platform = two }, Costs).TrainRate / Simulator.Run(OneHost(1), Costs).TrainRate;

    private static double Measured(string name, int? silos = null) => FigureFile.Read(Committed("scale.jsonl"))
        .Last(figure => string.Equals(figure.Name, name, StringComparison.Ordinal) && (silos is null || string.Equals(figure.Settings["silos"]?.ToString(), silos.ToString(), StringComparison.Ordinal))).Value;

    private static string Committed(string name) => Path.Combine(Path.GetDirectoryName(SimulateSuite.DefaultConstants)!, name);
}
