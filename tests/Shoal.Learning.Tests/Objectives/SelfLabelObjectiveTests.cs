using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SelfLabelObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;

        // At a threshold that some of the random samples pass.
        using var objective = new SelfLabelObjective(new SelfLabelObjective.Options { Threshold = 0.6 });
        var loss = objective.Compute(batch).Terms["labels"].item<float>();
        Assert.True(loss > 0);
        Assert.Equal(HeadReference.Mean(batch, (a, b) => Reference(a, b, 0.6, batch.Head.Scale)), loss, 4);
    }

    [Fact]
    public void What_nobody_is_certain_of_labels_nothing()
    {
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 1);
        using var objective = new SelfLabelObjective(3);
        Assert.Equal(0, objective.Compute(HeadReference.Axes(head, cat([eye(3), eye(3)]))).Terms["labels"].item<float>());
    }

    [Fact]
    public void A_class_weighs_the_same_however_many_it_labels()
    {
        // Hand-computed: view A labels samples 0 and 1 with class 0 and sample 2 with class 1. View B is undecided about sample 2 alone: -log(1/3).
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 100);
        using var objective = new SelfLabelObjective(3);
        var certain = tensor(new float[,] { { 1, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 } });
        var undecided = tensor(new float[,] { { 1, 0, 0 }, { 1, 0, 0 }, { 1, 1, 1 } });
        var loss = objective.Compute(HeadReference.Axes(head, cat([certain, undecided]))).Terms["labels"].item<float>();
        Assert.Equal(((Math.Log(3) / 2) + 0) / 2, loss, 4);
    }

    private static double Reference(double[][] labelling, double[][] labelled, double threshold, double scale)
    {
        var p = labelling.Select(row => HeadReference.Softmax(row.Select(value => value * scale))).ToArray();
        var labels = p.Select(row => row.Max() >= threshold ? Array.IndexOf(row, row.Max()) : -1).ToArray();
        var counts = labels.Where(label => label >= 0).CountBy(label => label).ToDictionary();
        return labels.Index().Where(entry => entry.Item >= 0).Sum(entry =>
        {
            var other = HeadReference.Softmax(labelled[entry.Index].Select(value => value * scale));
            return -Math.Log(other[entry.Item]) / counts[entry.Item] / counts.Count;
        });
    }
}
