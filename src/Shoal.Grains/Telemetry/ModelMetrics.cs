using System.Diagnostics.Metrics;
using Shoal.Grains.Training;

namespace Shoal.Grains.Telemetry;

/// <summary>What the models on this silo say of rounds, seats and versions.</summary>
internal sealed class ModelMetrics
{
    private const string Verdict = "verdict";

    private readonly Counter<long> _rounds;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Where meters come from.</param>
    public ModelMetrics(IMeterFactory meters)
    {
        Meter meter = meters.Create(DatasetGauge.Meter);
        Seats = new DatasetGauge(meter, "shoal.training.seats", "{seat}", "Silos that shards are dealt to");
        Version = new DatasetGauge(meter, "shoal.model.version", "{version}", "The published version; 0 before the first");
        Age = new DatasetGauge(meter, "shoal.model.age", "s", "Time since the published version was published; 0 before the first");
        _rounds = meter.CreateCounter<long>("shoal.rounds", "{round}", "Rounds that ended since the silo started, by what became of their candidate");
    }

    /// <summary>Silos that train, of datasets that are not paused.</summary>
    public DatasetGauge Seats { get; }

    /// <summary>Published versions.</summary>
    public DatasetGauge Version { get; }

    /// <summary>Their ages, in seconds.</summary>
    public DatasetGauge Age { get; }

    /// <summary>Lets the first refusal be seen: a rate needs a value before it.</summary>
    /// <param name="dataset">The dataset.</param>
    public void Open(string dataset)
    {
        foreach (PublicationVerdict verdict in Enum.GetValues<PublicationVerdict>())
        {
            Count(dataset, verdict, 0);
        }
    }

    /// <summary>Counts a round.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="verdict">What became of its candidate.</param>
    public void Ended(string dataset, PublicationVerdict verdict) => Count(dataset, verdict, 1);

    private void Count(string dataset, PublicationVerdict verdict, int rounds) =>
        _rounds.Add(rounds, KeyValuePair.Create<string, object?>(DatasetGauge.Dataset, dataset), KeyValuePair.Create<string, object?>(Verdict, Label.Of(verdict)));
}
