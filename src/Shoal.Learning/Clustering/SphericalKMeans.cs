using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Finds the directions that embeddings lie around (Dhillon and Modha 2001): clusters of what has no gaps between its kinds.</summary>
public static class SphericalKMeans
{
    // On 5,000 embeddings of CIFAR-10 it moves no sample after 20 to 60.
    private const int MostSteps = 100;

    // Another start wins only when it is better by this part of the mean distance: on a continuum, starts differ by less than means anything.
    private const double Better = 0.01;

    /// <summary>Finds them.</summary>
    /// <param name="embeddings">[n, D], float32, L2-normalised.</param>
    /// <param name="count">How many clusters, 1 and up.</param>
    /// <param name="before">The cluster that each sample was in before, dense from 0, -1 for none: they are gone on from unless another start is clearly better. Null when nothing is known.</param>
    /// <param name="restarts">Other starts tried, 1 and up.</param>
    /// <param name="random">Chooses where they begin.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>The cluster of each sample, [n], dense from 0; fewer than asked for where samples are fewer.</returns>
    public static int[] Find(Tensor embeddings, int count, int[]? before, int restarts, Random random, Action? between = null)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(restarts);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        (int[] Groups, double Distance)? best = null;
        if (before is not null && before.Where(cluster => cluster >= 0).Distinct().Count() == count)
        {
            var (groups, distance) = Settle(embeddings, Means(embeddings, before, count));
            best = (groups, distance * (1 - Better));
        }

        for (var restart = 0; restart < restarts; restart++)
        {
            var (groups, distance) = Settle(embeddings, Begin(embeddings, count, random));
            best = best is { } known && known.Distance <= distance ? known : (groups, distance);
            between?.Invoke();
        }

        var numbers = new Dictionary<int, int>();
        return Array.ConvertAll(best!.Value.Groups, group => numbers.TryGetValue(group, out var number) ? number : numbers[group] = numbers.Count);
    }

    // Samples far from each other (k-means++, Arthur and Vassilvitskii 2007), [K, D].
    private static Tensor Begin(Tensor embeddings, int count, Random random)
    {
        var chosen = new List<long> { random.NextInt64(embeddings.shape[0]) };
        var nearest = full(embeddings.shape[0], 2f, device: embeddings.device);
        while (chosen.Count < Math.Min(count, embeddings.shape[0]))
        {
            using var step = NewDisposeScope();
            nearest = nearest.minimum(1 - embeddings.mv(embeddings[chosen[^1]])).clamp_min(0);
            var sums = nearest.cumsum(0);
            var at = random.NextDouble() * sums[-1].item<float>();
            chosen.Add(Math.Min(embeddings.shape[0] - 1, sums.lt(at).sum().item<long>()));
            nearest = nearest.MoveToOuterDisposeScope();
        }

        return embeddings.index_select(0, tensor(chosen.ToArray(), device: embeddings.device));
    }

    // Goes on until no sample moves; the mean of 1 - cosine.
    private static (int[] Groups, double Distance) Settle(Tensor embeddings, Tensor means)
    {
        int[] groups = [];
        for (var step = 0; step < MostSteps; step++)
        {
            using var scope = NewDisposeScope();
            int[] now = Array.ConvertAll(embeddings.matmul(means.t()).argmax(1).Values<long>().ToArray(), group => (int)group);
            if (now.AsSpan().SequenceEqual(groups))
            {
                break;
            }

            groups = now;
            means = Means(embeddings, groups, (int)means.shape[0]).MoveToOuterDisposeScope();
        }

        return (groups, 1 - embeddings.matmul(means.t()).amax(1).mean().item<float>());
    }

    /// <summary>The normalised mean of each group; zeros where there is none, which nothing is near to.</summary>
    /// <param name="embeddings">[n, D], float32.</param>
    /// <param name="groups">The group of each, [n]; -1 for none.</param>
    /// <param name="count">K.</param>
    /// <returns>[K, D].</returns>
    internal static Tensor Means(Tensor embeddings, int[] groups, int count)
    {
        var rows = tensor(Array.ConvertAll(groups, group => (long)Math.Max(0, group)), device: embeddings.device);
        var known = tensor(Array.ConvertAll(groups, group => group >= 0 ? 1f : 0f), device: embeddings.device).unsqueeze(1);
        return normalize(zeros(count, embeddings.shape[1], device: embeddings.device).index_add(0, rows, embeddings * known, alpha: 1), 2, dim: 1);
    }
}
