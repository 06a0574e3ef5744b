using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What cluster heads say of a batch, in plain loops and doubles: the independent reference of the objectives that train them.</summary>
internal static class HeadReference
{
    /// <summary>Cosines of the replayed rows with the prototypes of a head, [R][K], in view A (0) or B (1).</summary>
    public static double[][] Cosines(StepBatch batch, int head, int view)
    {
        var n = (int)batch.Samples.shape[0];
        var (clusters, width) = ((int)batch.Head.Weight.shape[1], (int)batch.Head.Weight.shape[2]);
        var (features, weights) = (Making.Floats(batch.Features), Making.Floats(batch.Head.Weight));
        return [.. batch.Replayed.data<long>().ToArray().Select(row => Enumerable.Range(0, clusters).Select(k =>
        {
            var z = Slice(features, (int)row + (view * n), width);
            var w = Slice(weights, (head * clusters) + k, width);
            return Dot(z, w) / Math.Sqrt(Dot(z, z) * Dot(w, w));
        }).ToArray())];
    }

    /// <summary>The mean over heads and over both directions of a loss from view to view.</summary>
    public static double Mean(StepBatch batch, Func<double[][], double[][], double> loss)
    {
        var heads = (int)batch.Head.Weight.shape[0];
        return Enumerable.Range(0, heads).Average(head =>
        {
            var (a, b) = (Cosines(batch, head, 0), Cosines(batch, head, 1));
            return (loss(a, b) + loss(b, a)) / 2;
        });
    }

    public static double[] Softmax(IEnumerable<double> logits)
    {
        var exponentials = logits.Select(Math.Exp).ToArray();
        return [.. exponentials.Select(value => value / exponentials.Sum())];
    }

    /// <summary>Features and prototypes are the same three axes; scale 100: every sample is certain of a class of its own.</summary>
    public static StepBatch Axes(ClusterHead head, Tensor features)
    {
        using (no_grad())
        {
            head.Weight.copy_(eye(3).unsqueeze(0));
        }

        return Three(features, head);
    }

    /// <summary>Three samples, all of them replayed, without neighbours and without a bank.</summary>
    public static StepBatch Three(Tensor features, ClusterHead head) => new()
    {
        Features = features,
        KeyFeatures = features,
        Samples = arange(3, ScalarType.Int64),
        BankKeys = zeros(0, 64),
        BankSamples = zeros(0, ScalarType.Int64),
        Anchors = zeros(0, ScalarType.Int64),
        Neighbours = zeros(0, ScalarType.Int64),
        Replayed = arange(3, ScalarType.Int64),
        Labels = arange(3, ScalarType.Int64),
        Head = head,
        Pixels = zeros(3, 1, 12, 12),
        Encode = pixels => zeros(pixels.shape[0], features.shape[1]),
        Seed = 1,
    };

    private static double[] Slice(float[] values, int row, int width) => [.. values.Skip(row * width).Take(width).Select(v => (double)v)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
