using System.Diagnostics.Metrics;

namespace Shoal.Grains.Telemetry;

/// <summary>What seats of this silo say of training.</summary>
internal sealed class TrainingMetrics
{
    private readonly Counter<long> _trained;
    private readonly Counter<long> _steps;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Where meters come from.</param>
    public TrainingMetrics(IMeterFactory meters)
    {
        Meter meter = meters.Create(DatasetGauge.Meter);
        Lag = new DatasetGauge(meter, "shoal.training.lag", "{item}", "Acknowledged items that training has not reached");
        Loss = new LossGauge(meter, "shoal.training.loss", "{loss}", "Terms of the loss of the last step");
        _trained = meter.CreateCounter<long>("shoal.samples.trained", "{sample}", "Fresh samples trained on since the silo started, those that a crash makes it do again included");
        _steps = meter.CreateCounter<long>("shoal.training.steps", "{step}", "Steps since the silo started, those of rehearsal included");
    }

    /// <summary>Items of the seats' shards that they have not reached.</summary>
    public DatasetGauge Lag { get; }

    /// <summary>Terms of the seats' last losses.</summary>
    public LossGauge Loss { get; }

    /// <summary>Counts samples.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="samples">Fresh samples of a step.</param>
    public void Trained(string dataset, int samples) => _trained.Add(samples, KeyValuePair.Create<string, object?>(DatasetGauge.Dataset, dataset));

    /// <summary>Counts a step.</summary>
    /// <param name="dataset">The dataset.</param>
    public void Stepped(string dataset) => _steps.Add(1, KeyValuePair.Create<string, object?>(DatasetGauge.Dataset, dataset));
}
