using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ByolObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new ByolObjective(8);
        var p = Doubles.Views(batch.Features).Through(objective, "projector").Through(objective, "predictor");
        var t = Doubles.Views(batch.KeyFeatures).Through(objective, "twin");
        double Distance(double[][] predicted, double[][] target)
            => Doubles.Unit(predicted).Zip(Doubles.Unit(target), (a, b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum()).Average();
        Assert.Equal(Distance(p.A, t.B) + Distance(p.B, t.A), Regression(objective, batch), 4);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, 8)]
    public void A_right_prediction_scores_0_and_an_opposite_one_8(int sign, float expected)
    {
        // Hand-computed: without their last weights predictor and target say their biases; 2 - 2cos is 0 or 4 in either direction.
        using var scope = NewDisposeScope();
        using var objective = new ByolObjective(8);
        Doubles.Clear(objective, "predictor.3.weight");
        Doubles.Clear(objective, "twin.3.weight");
        using (no_grad())
        {
            var p = objective.Own.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter, StringComparer.Ordinal);
            p["predictor.3.bias"].copy_(p["twin.3.bias"] * sign);
        }

        Assert.Equal(expected, Regression(objective, Making.Batch(2)), 1e-5f);
    }

    [Fact]
    public void The_target_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        using var objective = new ByolObjective(8);
        var batch = Making.Batch(2) with { KeyFeatures = randn(12, 8, requires_grad: true) };
        objective.Compute(batch).Terms["regression"].backward();
        Assert.Null(batch.KeyFeatures.grad);
        Assert.All(objective.Own.named_parameters().Where(p => p.name.StartsWith("twin.", StringComparison.Ordinal)), p => Assert.Null(p.parameter.grad));
    }

    private static float Regression(ByolObjective objective, StepBatch batch) => objective.Compute(batch).Terms["regression"].item<float>();
}
