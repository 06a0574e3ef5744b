using System.Reflection;
using Shoal.Benchmarks.Simulation;
using Shoal.Grains.Hosting;
using Shoal.Silo;

namespace Shoal.Chaos.Tests.Simulation;

/// <summary>What the simulation repeats of the program's own intervals is what the program has.</summary>
public sealed class HabitTests
{
    private static readonly Habits Habits = new();
    private static readonly Assembly Grains = typeof(ShoalSiloOptions).Assembly;
    private static readonly Assembly Silo = typeof(SiloHost).Assembly;

    public static TheoryData<string, string, double> Repeated() => new()
    {
        { "Training.ModelGrain", "RoundPatience", Habits.RoundPatience },
        { "Training.ModelGrain", "RoundLook", Habits.RoundLook },
        { "Training.ModelGrain", "SettlePatience", Habits.SettlePatience },
        { "Training.ModelGrain", "WorkForEachWait", Habits.WorkForEachWait },
        { "Training.ModelGrain", "MostRounds", Habits.MostRounds },
        { "Training.ModelGrain", "WatchInterval", Habits.Watch },
        { "Training.ModelGrain", "SeatPatience", Habits.SeatPatience },
        { "Training.ModelGrain", "MostLate", Habits.MostLate },
        { "Training.SharedRoundEnds", "Look", Habits.OutcomeLook },
        { "Training.GoneSamples", "Interval", Habits.Gone },
        { "Silos.DatasetStarter", "Safety", Habits.Starter },
    };

    [Theory]
    [MemberData(nameof(Repeated))]
    public void Intervals_are_those_of_the_program(string type, string field, double simulated) => Assert.Equal(Value(Grains.GetType("Shoal.Grains." + type, throwOnError: true)!, field), simulated);

    [Fact]
    public void A_dead_silo_is_voted_out_as_soon_as_in_the_program()
    {
        Type membership = Silo.GetType("Shoal.Silo.SiloMembership", throwOnError: true)!;
        Assert.Equal((Value(membership, "ProbeTimeout"), Value(membership, "MissedProbes")), (Habits.Probes.Seconds, Habits.Probes.Missed));
    }

    private static double Value(Type type, string field) => type.GetField(field, BindingFlags.NonPublic | BindingFlags.Static)?.GetValue(null) switch
    {
        TimeSpan time => time.TotalSeconds,
        int number => number,
        double number => number,
        var other => throw new InvalidOperationException($"{type.Name}.{field} is {other ?? "not there"}; the simulation repeats it in {nameof(Habits)}."),
    };
}
