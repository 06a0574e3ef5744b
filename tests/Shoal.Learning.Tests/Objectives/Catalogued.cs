using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What tests over the whole catalogue of objectives do to each of them.</summary>
internal static class Catalogued
{
    // Samples that suit every objective.
    public static readonly SampleShape Shape = new(3, 24, 24);

    public static IObjective Create(string name) => ObjectiveCatalogue.Create(name, 8, Shape);

    // With a bank of the objective's own width.
    public static StepBatch Batch(IObjective objective, int seed = 1, int count = 6, double scale = 5)
        => Making.Batch(seed, count, keyWidth: objective.KeyWidth, bank: objective.KeyWidth == 0 ? 0 : 12, scale: scale, shape: Shape);

    public static AdamW Optimizer(IObjective objective) => new(objective.Own.named_parameters().Select(p => (p.name, (Tensor)p.parameter)), 0);

    // The objective's own networks alone.
    public static void Train(IObjective objective, AdamW optimizer, StepBatch batch, int steps, double rate = 0.003)
    {
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var loss = Loss(objective, batch);
            if (loss.requires_grad && objective.Own.parameters().Any())
            {
                loss.backward();
            }

            optimizer.Step(rate);
            objective.AfterStep(0.99);
        }
    }

    public static Tensor Loss(IObjective objective, StepBatch batch)
        => objective.Compute(batch).Terms.OrderBy(term => term.Key, StringComparer.Ordinal).Select(term => term.Value).Aggregate((a, b) => a + b);
}
