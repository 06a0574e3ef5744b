using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SelfClassifierObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var objective = new SelfClassifierObjective(8);
        Assert.Equal(HeadReference.Mean(batch, Reference), objective.Compute(batch).Terms["classes"].item<float>(), 4);
    }

    [Fact]
    public void One_class_for_all_scores_log_K_and_a_class_each_almost_nothing()
    {
        // Hand-computed. All alike: every target is spread by 1/N in each class, so 1/K after normalising; every prediction is 1/N, scaled 1/K.
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 10);
        using var objective = new SelfClassifierObjective(3);
        Assert.Equal(Math.Log(3), Loss(eye(3)[0].expand(6, 3).clone()), 3);
        Assert.True(Loss(cat([eye(3), eye(3)])) < 0.01);

        float Loss(Tensor features) => objective.Compute(HeadReference.Axes(head, features)).Terms["classes"].item<float>();
    }

    private static double Reference(double[][] targets, double[][] predictions)
    {
        var (n, classes) = (targets.Length, targets[0].Length);
        var overBatch = Enumerable.Range(0, classes).Select(k => HeadReference.Softmax(targets.Select(row => row[k] / 0.05))).ToArray();
        var overClasses = predictions.Select(row => HeadReference.Softmax(row.Select(value => value / 0.1))).ToArray();
        var loss = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < classes; k++)
            {
                var target = overBatch[k][i] / Enumerable.Range(0, classes).Sum(other => overBatch[other][i]);
                var prediction = overClasses[i][k] / overClasses.Sum(row => row[k]);
                loss -= target * Math.Log(prediction * n / classes) / n;
            }
        }

        return loss;
    }
}
