using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Fits and judges cluster heads on cached embeddings, with SCAN's loss and no encoder.</summary>
public static class HeadRefitter
{
    private const double Floor = 1e-7;

    // 200 steps of 1,024 pairs: about 40 passes over 5,000 cached embeddings; more changed nothing on MNIST.
    private const int Steps = 200;
    private const int BatchSize = 1024;
    private const double Rate = 0.02;
    private const int StepsBetween = 10;

    /// <summary>Fits fresh heads from random prototypes, all restarts at once.</summary>
    /// <param name="embeddings">[n, D], float32, L2-normalised.</param>
    /// <param name="neighbours">[n, k], int64, rows of <paramref name="embeddings"/>.</param>
    /// <param name="clusters">K.</param>
    /// <param name="restarts">R.</param>
    /// <param name="scale">Inverse temperature.</param>
    /// <param name="balance">λ of <see cref="ScanObjective.Options.Balance"/>.</param>
    /// <param name="generator">Where randomness comes from.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>Prototypes, [R, K, D], float32.</returns>
    public static Tensor Fit(Tensor embeddings, Tensor neighbours, int clusters, int restarts, double scale, double balance, Generator generator, Action? between = null)
    {
        using var scope = NewDisposeScope();
        var (n, width, device) = (embeddings.shape[0], embeddings.shape[1], embeddings.device);
        var weight = (randn([restarts, clusters, width], generator: generator, device: device) / Math.Sqrt(width)).requires_grad_(true);
        using var optimizer = new AdamW([("weight", weight)], weightDecay: 0);
        for (var step = 0; step < Steps; step++)
        {
            using var stepScope = NewDisposeScope();
            var anchors = randint(n, [Math.Min(n, BatchSize)], generator: generator, device: device, dtype: ScalarType.Int64);
            var chosen = randint(neighbours.shape[1], [anchors.shape[0], 1], generator: generator, device: device, dtype: ScalarType.Int64);
            var others = neighbours.index_select(0, anchors).gather(1, chosen).squeeze(1);
            var first = ClusterHead.LogProbabilities(embeddings.index_select(0, anchors), weight, scale).exp();
            var second = ClusterHead.LogProbabilities(embeddings.index_select(0, others), weight, scale).exp();
            Terms(first, second, balance).sum().backward();
            optimizer.Step(Rate);
            if (step % StepsBetween == 0)
            {
                between?.Invoke();
            }
        }

        return weight.detach().clone().MoveToOuterDisposeScope();
    }

    /// <summary>SCAN's loss of each head over all pairs of an embedding and its nearest neighbours.</summary>
    /// <param name="embeddings">[n, D], float32, L2-normalised.</param>
    /// <param name="neighbours">[n, k], int64.</param>
    /// <param name="weight">[H, K, D], float32.</param>
    /// <param name="scale">Inverse temperature.</param>
    /// <param name="balance">λ.</param>
    /// <returns>One number a head.</returns>
    public static double[] Losses(Tensor embeddings, Tensor neighbours, Tensor weight, double scale, double balance)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var p = ClusterHead.LogProbabilities(embeddings, weight, scale).exp();
        var losses = zeros(weight.shape[0], device: embeddings.device);
        var used = Math.Min(neighbours.shape[1], 5);
        for (var k = 0; k < used; k++)
        {
            losses += Terms(p, p.index_select(1, neighbours.select(1, k)), balance) / used;
        }

        return [.. losses.ToArray<float>().Select(loss => (double)loss)];
    }

    // [H, M, K] twice -> [H].
    private static Tensor Terms(Tensor first, Tensor second, double balance)
    {
        var agreement = (first * second).sum(2).clamp_min(Floor).log().mean([1]);
        var mean = first.mean([1]);
        return ((mean * mean.clamp_min(Floor).log()).sum(1) * balance) - agreement;
    }
}
