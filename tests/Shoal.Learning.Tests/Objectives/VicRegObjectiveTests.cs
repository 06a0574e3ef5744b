using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class VicRegObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2, count: 10);
        using var objective = new VicRegObjective(8, new VicRegObjective.Options { Width = 8 });
        var terms = objective.Compute(batch).Terms;
        var (a, b) = Doubles.Views(batch.Features).Through(objective, "projector");
        var difference = a.Zip(b, (x, y) => x.Zip(y, (p, q) => (p - q) * (p - q)).Average()).Average();
        Assert.Equal(25 * difference, terms["invariance"].item<float>(), 3);
        Assert.Equal(25 * (Variance(a) + Variance(b)), terms["variance"].item<float>(), 3);
        Assert.Equal(Covariance(a) + Covariance(b), terms["covariance"].item<float>(), 4);
    }

    [Fact]
    public void The_variance_hinge_is_0_above_1_and_grows_below()
    {
        // Hand-computed: ±s has the variance s²·4/3 over four samples, N - 1 counted.
        using var scope = NewDisposeScope();
        Tensor Spread(double s) => tensor(new[] { 1f, -1f, 1f, -1f }).unsqueeze(1) * s;
        float Hinge(double s) => VicRegObjective.Terms(Spread(s), Spread(s)).Variance.item<float>();
        Assert.Equal(0, Hinge(1));
        Assert.Equal(0, Hinge(50));
        Assert.Equal(2 * (1 - Math.Sqrt((0.25 * 4 / 3) + 1e-4)), Hinge(0.5), 5);
        Assert.Equal(2 * (1 - Math.Sqrt(1e-4)), Hinge(0), 5);
    }

    [Fact]
    public void The_gradient_is_finite_where_nothing_varies()
    {
        using var scope = NewDisposeScope();
        var view = ones(4, 3, requires_grad: true);
        VicRegObjective.Terms(view, view * 1).Variance.backward();
        Assert.All(Making.Floats(view.grad!), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Components_that_tell_the_same_are_punished_and_independent_ones_are_not()
    {
        // Hand-computed: covariance 4/3 twice, squared, over W = 2, in both views.
        using var scope = NewDisposeScope();
        var apart = tensor(new float[,] { { 1, 1 }, { 1, -1 }, { -1, 1 }, { -1, -1 } });
        var alike = apart.index_select(1, zeros(2, ScalarType.Int64));
        Assert.Equal(0, VicRegObjective.Terms(apart, apart).Covariance.item<float>(), 6);
        Assert.Equal(2 * 16.0 / 9, VicRegObjective.Terms(alike, alike).Covariance.item<float>(), 5);
        Assert.Equal(0, VicRegObjective.Terms(alike, alike).Invariance.item<float>(), 6);
        Assert.Equal(0.5 * (0 + 0 + 4 + 4) / 4, VicRegObjective.Terms(apart, alike).Invariance.item<float>(), 5);
    }

    private static double Cov(double[][] rows, int i, int j)
    {
        var (a, b) = (rows.Average(row => row[i]), rows.Average(row => row[j]));
        return rows.Sum(row => (row[i] - a) * (row[j] - b)) / (rows.Length - 1);
    }

    private static double Variance(double[][] rows) => Enumerable.Range(0, rows[0].Length).Average(j => Math.Max(0, 1 - Math.Sqrt(Cov(rows, j, j) + 1e-4)));

    private static double Covariance(double[][] rows)
    {
        var width = rows[0].Length;
        return Enumerable.Range(0, width).Sum(i => Enumerable.Range(0, width).Where(j => j != i).Sum(j => Math.Pow(Cov(rows, i, j), 2))) / width;
    }
}
