using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SimSiamObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new SimSiamObjective(8);
        var z = Doubles.Views(batch.Features).Through(objective, "projector");
        var p = z.Through(objective, "predictor");
        double D(double[][] predicted, double[][] target) => -predicted.Zip(target, Doubles.Cosine).Average();
        Assert.Equal((D(p.A, z.B) / 2) + (D(p.B, z.A) / 2), Agreement(objective, batch), 4);
    }

    private static float Agreement(SimSiamObjective objective, StepBatch batch) => objective.Compute(batch).Terms["agreement"].item<float>();
}
