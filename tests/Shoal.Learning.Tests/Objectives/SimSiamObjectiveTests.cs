using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SimSiamObjectiveTests
{
    // High: what can collapse does so soon.
    private const double Rate = 0.03;

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

    [Fact]
    public void Three_hundred_steps_do_not_collapse()
    {
        using var trial = new CollapseTrial();
        using var objective = new SimSiamObjective(CollapseTrial.Width);
        var (features, projections) = trial.Run(objective, "projector", Rate);
        Assert.True(features > 0.7 && projections > 0.7, $"features {features:F3}, projections {projections:F3}");
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void Without_predictor_or_stopped_gradient_they_do(bool predicts, bool stops)
    {
        using var trial = new CollapseTrial();
        using var objective = new SimSiamObjective(CollapseTrial.Width);
        var (_, projections) = trial.Run(objective, "projector", Rate, batch => CollapseTrial.Agreement(objective, batch, predicts, stops));
        Assert.InRange(projections, 0, 0.3);
    }

    private static float Agreement(SimSiamObjective objective, StepBatch batch) => objective.Compute(batch).Terms["agreement"].item<float>();
}
