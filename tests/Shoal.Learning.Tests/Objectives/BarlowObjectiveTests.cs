using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class BarlowObjectiveTests
{
    private static readonly BarlowObjective.Options Small = new() { Width = 8 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2, count: 10);
        using var objective = new BarlowObjective(8, Small);
        var terms = objective.Compute(batch).Terms;
        var (invariance, redundancy) = Reference(Doubles.Views(batch.Features).Through(objective, "projector"));
        Assert.Equal(invariance, terms["invariance"].item<float>(), 3);
        Assert.Equal(0.0051 * redundancy, terms["redundancy"].item<float>(), 4);
    }

    [Fact]
    public void An_identity_of_cross_correlations_scores_0()
    {
        // Hand-computed: two components that are ±1 in all four combinations are uncorrelated, and the same in both views.
        using var scope = NewDisposeScope();
        var view = tensor(new float[,] { { 1, 1 }, { 1, -1 }, { -1, 1 }, { -1, -1 } });
        Assert.Equal((0, 0), Of(view, view));
    }

    [Theory]
    [InlineData(1f, 1f, 0, 2)] // Both components are one: C is all ones.
    [InlineData(1f, -1f, 0, 2)] // Or opposites of each other.
    [InlineData(0f, 0f, 2, 0)] // Neither varies: C is all zeros.
    public void Components_that_tell_the_same_are_redundant_and_constant_ones_vary_too_little(float first, float second, double invariance, double redundancy)
    {
        using var scope = NewDisposeScope();
        var view = tensor(new[] { 1f, -1f, 2f, -2f }).unsqueeze(1) * tensor(new[] { first, second }).unsqueeze(0);
        Assert.Equal((invariance, redundancy), Of(view, view));
    }

    [Fact]
    public void Neither_scale_nor_shift_of_a_component_matters()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var (a, b) = (randn(20, 4), randn(20, 4));
        var (scale, shift) = (tensor(new[] { 0.5f, 2, 3, 100 }), tensor(new[] { 7f, -1, 0, 50 }));
        var (before, after) = (Of(a, b), Of((a * scale) + shift, b));
        Assert.Equal(before.Invariance, after.Invariance, 0.001);
        Assert.Equal(before.Redundancy, after.Redundancy, 0.001);
    }

    private static (double Invariance, double Redundancy) Of(Tensor a, Tensor b)
    {
        var (invariance, redundancy) = BarlowObjective.Terms(a, b);
        return (Math.Round(invariance.item<float>(), 4), Math.Round(redundancy.item<float>(), 4));
    }

    private static (double Invariance, double Redundancy) Reference((double[][] A, double[][] B) views)
    {
        var width = views.A[0].Length;
        var (invariance, redundancy) = (0.0, 0.0);
        for (var i = 0; i < width; i++)
        {
            for (var j = 0; j < width; j++)
            {
                var (meanA, meanB) = (views.A.Average(row => row[i]), views.B.Average(row => row[j]));
                var (product, squareA, squareB) = (0.0, 0.0, 0.0);
                for (var b = 0; b < views.A.Length; b++)
                {
                    var (x, y) = (views.A[b][i] - meanA, views.B[b][j] - meanB);
                    (product, squareA, squareB) = (product + (x * y), squareA + (x * x), squareB + (y * y));
                }

                var c = product / Math.Sqrt(squareA) / Math.Sqrt(squareB);
                (invariance, redundancy) = i == j ? (invariance + ((1 - c) * (1 - c)), redundancy) : (invariance, redundancy + (c * c));
            }
        }

        return (invariance, redundancy);
    }
}
