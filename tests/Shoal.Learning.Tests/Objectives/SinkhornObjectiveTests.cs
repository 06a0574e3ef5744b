using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SinkhornObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var objective = new SinkhornObjective(8);
        Assert.Equal(HeadReference.Mean(batch, Reference), objective.Compute(batch).Terms["swapped"].item<float>(), 4);
    }

    [Fact]
    public void Codes_divide_samples_equally_among_prototypes()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var codes = SinkhornObjective.Codes((randn(2, 30, 5) * 0.3) + tensor(new[] { 0.5f, 0, 0, 0, 0 }), softness: 0.1, iterations: 200);
        Assert.All(Making.Floats(codes.sum(2)), share => Assert.Equal(1, share, 4));
        Assert.All(Making.Floats(codes.sum(1)), share => Assert.Equal(6, share, 2));
    }

    [Fact]
    public void A_class_each_scores_almost_nothing()
    {
        // Hand-computed: codes are one-hot, and the softmax at τ = 0.1 gives the right class 1 / (1 + 2e^-10).
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 10);
        using var objective = new SinkhornObjective(3);
        var loss = objective.Compute(HeadReference.Axes(head, cat([eye(3), eye(3)]))).Terms["swapped"].item<float>();
        Assert.Equal(Math.Log(1 + (2 * Math.Exp(-10))), loss, 5);
    }

    private static double Reference(double[][] coded, double[][] predicted)
    {
        var (n, classes) = (coded.Length, coded[0].Length);
        var q = coded.Select(row => row.Select(value => Math.Exp(value / 0.05)).ToArray()).ToArray();
        for (var iteration = 0; iteration < 3; iteration++)
        {
            for (var k = 0; k < classes; k++)
            {
                var sum = q.Sum(row => row[k]);
                Array.ForEach(q, row => row[k] /= sum * classes);
            }

            foreach (var row in q)
            {
                var sum = row.Sum();
                for (var k = 0; k < classes; k++)
                {
                    row[k] /= sum * n;
                }
            }
        }

        return Enumerable.Range(0, n).Average(i =>
        {
            var p = HeadReference.Softmax(predicted[i].Select(value => value / 0.1));
            return -Enumerable.Range(0, classes).Sum(k => q[i][k] * n * Math.Log(p[k]));
        });
    }
}
