using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>How one version sees a set of samples and a view of each.</summary>
/// <param name="Embeddings">[n, D], of the samples, widened to float32.</param>
/// <param name="Count">n.</param>
/// <param name="Loss">Disagreement of sample and view on a cluster, less the entropy of the clusters' use; the logarithm of 1 / K is perfect.</param>
/// <param name="Disagreement">The first part of it.</param>
/// <param name="Spread">As in <see cref="Evidence.Spread"/>.</param>
/// <param name="ClustersInUse">As in <see cref="Evidence.ClustersInUse"/>.</param>
internal sealed record Judgement(float[] Embeddings, int Count, double Loss, double Disagreement, double Spread, int ClustersInUse)
{
    public static Judgement Of(Embedder version, byte[] pixels, byte[] views, int count)
    {
        var (width, clusters) = (version.Width, version.Prototypes.Count);
        var (first, second) = (new Half[count * width], new Half[count * width]);
        version.Embed(pixels, count, first);
        version.Embed(views, count, second);
        var (p, q, mean, used) = (new float[clusters], new float[clusters], new double[clusters], new HashSet<int>());
        var disagreement = 0.0;
        for (var i = 0; i < count; i++)
        {
            version.Prototypes.Probabilities(first.AsSpan(i * width, width), p);
            version.Prototypes.Probabilities(second.AsSpan(i * width, width), q);
            disagreement -= Math.Log(Math.Max(TensorPrimitives.Dot<float>(p, q), 1e-7)) / count;
            used.Add(TensorPrimitives.IndexOfMax<float>(p));
            for (var k = 0; k < clusters; k++)
            {
                mean[k] += p[k] / (double)count;
            }
        }

        var entropy = -mean.Sum(share => share * Math.Log(Math.Max(share, 1e-12)));
        var embeddings = new float[first.Length];
        TensorPrimitives.ConvertToSingle(first, embeddings);
        return new Judgement(embeddings, count, disagreement - entropy, disagreement, SpreadOf(embeddings, width), used.Count);
    }

    /// <summary>1 - the correlation of both versions' similarities between samples, mean over samples.</summary>
    public static double Drift(Judgement first, Judgement second)
    {
        var drift = 0.0;
        for (var i = 0; i < first.Count; i++)
        {
            drift += (1 - Correlation(first.Similarities(i), second.Similarities(i))) / first.Count;
        }

        return drift;
    }

    // The cosines of one sample to all others, centred.
    private double[] Similarities(int sample)
    {
        var width = Embeddings.Length / Count;
        var mine = Embeddings.AsSpan(sample * width, width);
        var cosines = new double[Count - 1];
        for (int other = 0, at = 0; other < Count; other++)
        {
            if (other != sample)
            {
                cosines[at++] = TensorPrimitives.Dot<float>(mine, Embeddings.AsSpan(other * width, width));
            }
        }

        TensorPrimitives.Subtract(cosines, cosines.Average(), cosines);
        return cosines;
    }

    private static double Correlation(double[] first, double[] second)
    {
        var scale = TensorPrimitives.Norm<double>(first) * TensorPrimitives.Norm<double>(second);
        return scale > 0 ? TensorPrimitives.Dot<double>(first, second) / scale : 0;
    }

    private static double SpreadOf(float[] embeddings, int width)
    {
        var count = embeddings.Length / width;
        var total = 0.0;
        for (var d = 0; d < width; d++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var i = 0; i < count; i++)
            {
                var value = embeddings[(i * width) + d];
                sum += value;
                squares += value * value;
            }

            total += Math.Sqrt(Math.Max((squares / count) - (sum / count * (sum / count)), 0));
        }

        return total / width * Math.Sqrt(width);
    }
}
