using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Lays embeddings out in the plane so that near ones stay near: exact t-SNE, for pictures of some thousand rows.</summary>
/// <remarks>
/// Van der Maaten and Hinton 2008, "Visualizing Data using t-SNE", with the plane begun from the two main components
/// (Kobak and Berens 2019) and a step of n / 12 (Belkina et al. 2019). Time and memory grow with the square of the rows:
/// 3,000 rows need 36 MB a matrix.
/// </remarks>
public static class NeighbourMap
{
    private const double Perplexity = 30;
    private const double Exaggeration = 12;
    private const int ExaggeratedSteps = 150;
    private const int Steps = 500;

    /// <summary>Computes the plane; the same rows give the same plane on the same machine.</summary>
    /// <param name="rows">[n, D], row-major.</param>
    /// <param name="width">D, 2 or more.</param>
    /// <returns>[n], the place of each row.</returns>
    /// <exception cref="ArgumentException">The length does not fit, or there are not more than 90 rows: three times the perplexity.</exception>
    public static (double X, double Y)[] Project(float[] rows, int width)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (width < 2 || rows.Length % width != 0 || rows.Length / width <= 3 * Perplexity)
        {
            throw new ArgumentException($"{rows.Length} numbers must be more than {3 * Perplexity} rows of {width}, and {width} must be 2 or more.", nameof(rows));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var x = tensor(rows, [rows.Length / width, width]);
        x -= x.mean([0L], keepdim: true);
        var plane = Descend(Affinities(x), MainComponents(x)).to_type(ScalarType.Float64).data<double>().ToArray();
        return [.. plane.Chunk(2).Select(place => (place[0], place[1]))];
    }

    // [n, D] centred -> [n, 2], of standard deviation 1e-4 along the first.
    private static Tensor MainComponents(Tensor x)
    {
        var (_, _, vh) = linalg.svd(x, fullMatrices: false);
        var plane = x.matmul(vh.narrow(0, 0, 2).t());
        return plane * 1e-4 / plane.select(1, 0).std();
    }

    // [n, n], symmetric, its sum 1: how likely two rows pick each other as neighbours.
    private static Tensor Affinities(Tensor x)
    {
        using var scope = NewDisposeScope();
        var n = x.size(0);
        var distances = cdist(x, x).square();
        var (low, high) = (zeros(n, 1), full([n, 1], double.PositiveInfinity));
        var precision = ones(n, 1) / distances.mean();

        // By halves, until a row's entropy is that of as many equally near neighbours as the perplexity says: 2^-30 is below float32.
        for (var i = 0; i < 30; i++)
        {
            using var step = NewDisposeScope();
            var picked = Picks(distances, precision);
            var entropy = -(picked * picked.clamp(min: 1e-30).log()).sum(1, keepdim: true);
            var tooWide = entropy > Math.Log(Perplexity);
            low = where(tooWide, precision, low);
            high = where(tooWide, high, precision);
            precision = where(high.isinf(), precision * 2, (low + high) / 2);
            step.MoveToOuter(low, high, precision);
        }

        var picks = Picks(distances, precision);
        return ((picks + picks.t()) / (2.0 * n)).MoveToOuterDisposeScope();
    }

    // [n, n], rows of sum 1: how likely each row picks each other one.
    private static Tensor Picks(Tensor distances, Tensor precision)
    {
        var scores = distances * -precision;
        scores.diagonal().fill_(double.NegativeInfinity);
        return scores.softmax(1);
    }

    private static Tensor Descend(Tensor affinities, Tensor plane)
    {
        var n = plane.size(0);
        var (velocity, gains) = (zeros_like(plane), ones_like(plane));
        for (var i = 0; i < Steps; i++)
        {
            using var step = NewDisposeScope();
            var early = i < ExaggeratedSteps;

            // Student's t: 1 / (1 + distance^2), 0 for a row and itself.
            var norms = plane.square().sum(1, keepdim: true);
            var near = addmm(norms + norms.t() + 1, plane, plane.t(), beta: 1, alpha: -2).clamp_(min: 1).reciprocal_();
            near.diagonal().fill_(0);
            var weights = (affinities * (early ? Exaggeration : 1)).sub_(near / near.sum()).mul_(near);
            var gradient = ((weights.sum(1, keepdim: true) * plane) - weights.matmul(plane)) * 4;

            // Jacobs 1988: a coordinate that keeps its direction goes faster.
            gains = where(gradient.sign().eq(velocity.sign()), gains * 0.8, gains + 0.2).clamp_(min: 0.01);
            velocity = (velocity * (early ? 0.5 : 0.8)) - (gradient * gains * (n / Exaggeration));
            plane = plane + velocity;
            step.MoveToOuter(velocity, gains, plane);
        }

        return plane;
    }
}
