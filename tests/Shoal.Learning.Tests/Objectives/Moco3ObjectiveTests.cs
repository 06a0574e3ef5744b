using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class Moco3ObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new Moco3Objective(8);
        Drift(objective);
        var queries = Doubles.Views(batch.Features).Through(objective, "projector").Through(objective, "predictor");
        var keys = Doubles.Views(batch.KeyFeatures).Through(objective, "twin");
        double Contrast(double[][] q, double[][] k) => 2 * 0.2 * Doubles.Contrast(Doubles.Unit(q), Doubles.Unit(k), 0.2);
        Assert.Equal(Contrast(queries.A, keys.B) + Contrast(queries.B, keys.A), objective.Compute(batch).Terms["contrast"].item<float>(), 4);
    }

    [Fact]
    public void Keys_get_no_gradient_and_their_projector_follows_by_momentum()
    {
        using var scope = NewDisposeScope();
        using var objective = new Moco3Objective(8);
        Drift(objective);
        var batch = Making.Batch(2) with { KeyFeatures = randn(12, 8, requires_grad: true) };
        objective.Compute(batch).Terms["contrast"].backward();
        Assert.Null(batch.KeyFeatures.grad);

        var (before, original) = (Weights(objective, "twin"), Weights(objective, "projector"));
        objective.AfterStep(0.75);
        Assert.All(Weights(objective, "twin").Index(), weight => Assert.Equal((0.75f * before[weight.Index]) + (0.25f * original[weight.Index]), weight.Item, 1e-6f));
    }

    [Fact]
    public void Keys_that_are_all_alike_leave_a_choice_among_N_in_either_direction()
    {
        // Hand-computed: keys of zeros make all scores 0, and 2τ·2·log 6 is left.
        using var scope = NewDisposeScope();
        using var objective = new Moco3Objective(8);
        Doubles.Clear(objective, "twin.");
        Assert.Equal(2 * 0.2 * 2 * Math.Log(6), objective.Compute(Making.Batch(2)).Terms["contrast"].item<float>(), 5);
    }

    // Off its original, as a twin is in training.
    private static void Drift(Moco3Objective objective)
    {
        using var noGrad = no_grad();
        manual_seed(6);
        foreach (var (name, parameter) in objective.Own.named_parameters())
        {
            parameter.add_(randn_like(parameter), 0.1);
        }
    }

    private static float[] Weights(Moco3Objective objective, string network)
        => [.. objective.Own.named_parameters().Where(p => p.name.StartsWith(network + ".", StringComparison.Ordinal)).SelectMany(p => Making.Floats(p.parameter))];
}
