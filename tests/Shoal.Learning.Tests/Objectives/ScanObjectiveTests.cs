using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ScanObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var scan = new ScanObjective(8);
        var terms = scan.Compute(batch).Terms;
        var (views, neighbours, balance) = Reference(batch, 2);
        Assert.Equal(views, terms["views"].item<float>(), 4);
        Assert.Equal(neighbours, terms["neighbours"].item<float>(), 4);
        Assert.Equal(balance, terms["balance"].item<float>(), 4);
    }

    [Fact]
    public void Certain_agreeing_and_even_clusters_score_minus_lambda_log_K()
    {
        // Hand-computed: prototypes and features are axes, scale 100: p is one-hot, both views agree, 3 clusters used evenly.
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 100);
        using (no_grad())
        {
            head.Weight.copy_(eye(3).unsqueeze(0));
        }

        var axes = cat([eye(3), eye(3)]);
        using var scan = new ScanObjective(3);
        var terms = scan.Compute(HeadReference.Three(axes, head)).Terms;
        Assert.Equal(-2 * Math.Log(3), terms.Values.Sum(term => term.item<float>()), 4);
    }

    [Fact]
    public void One_cluster_for_all_scores_worse_than_even_use()
    {
        using var scope = NewDisposeScope();
        using var head = new ClusterHead(1, 3, 3, scale: 100);
        using (no_grad())
        {
            head.Weight.copy_(eye(3).unsqueeze(0));
        }

        using var scan = new ScanObjective(3);
        var collapsed = scan.Compute(HeadReference.Three(eye(3)[0].expand(6, 3), head)).Terms.Values.Sum(term => term.item<float>());
        var even = scan.Compute(HeadReference.Three(cat([eye(3), eye(3)]), head)).Terms.Values.Sum(term => term.item<float>());
        Assert.True(collapsed > even + 1, $"collapsed {collapsed}, even {even}");
    }

    private static (double Views, double Neighbours, double Balance) Reference(StepBatch batch, double balance)
    {
        var n = (int)batch.Samples.shape[0];
        var (heads, clusters, width) = ((int)batch.Head.Weight.shape[0], (int)batch.Head.Weight.shape[1], (int)batch.Head.Weight.shape[2]);
        var (features, weights) = (Making.Floats(batch.Features), Making.Floats(batch.Head.Weight));
        var (anchors, others, replayed) = (batch.Anchors.data<long>().ToArray(), batch.Neighbours.data<long>().ToArray(), batch.Replayed.data<long>().ToArray());
        var (views, neighbours, prior) = (0.0, 0.0, 0.0);
        for (var h = 0; h < heads; h++)
        {
            var p = Enumerable.Range(0, 2 * n).Select(row => Softmax(row, h)).ToArray();
            for (var i = 0; i < n; i++)
            {
                views -= Math.Log(Dot(p[i], p[n + i])) / n / heads;
            }

            for (var i = 0; i < anchors.Length; i++)
            {
                neighbours -= (Math.Log(Dot(p[anchors[i]], p[n + others[i]])) + Math.Log(Dot(p[n + anchors[i]], p[others[i]]))) / 2 / anchors.Length / heads;
            }

            for (var k = 0; k < clusters; k++)
            {
                var mean = replayed.Sum(i => p[i][k] + p[n + i][k]) / (2 * replayed.Length);
                prior += balance * mean * Math.Log(mean) / heads;
            }
        }

        return (views, neighbours, prior);

        double[] Softmax(int row, int head)
        {
            var z = features.Skip(row * width).Take(width).Select(v => (double)v).ToArray();
            var logits = Enumerable.Range(0, clusters).Select(k =>
            {
                var w = weights.Skip(((head * clusters) + k) * width).Take(width).Select(v => (double)v).ToArray();
                return batch.Head.Scale * Dot(z, w) / Math.Sqrt(Dot(z, z) * Dot(w, w));
            }).ToArray();
            var sum = logits.Sum(Math.Exp);
            return [.. logits.Select(l => Math.Exp(l) / sum)];
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
