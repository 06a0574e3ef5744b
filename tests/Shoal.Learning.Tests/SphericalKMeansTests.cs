using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SphericalKMeansTests
{
    [Fact]
    public void Directions_that_samples_lie_around_are_found_whatever_their_order()
    {
        using var scope = NewDisposeScope();
        (Tensor samples, int[] kinds) = Around(kinds: 5, each: 60, width: 16, spread: 0.3);
        int[] found = SphericalKMeans.Find(samples, 5, before: null, restarts: 5, new Random(1));
        Assert.Equal(5, found.Zip(kinds).Distinct().Count());
        int[] order = [.. Enumerable.Range(0, kinds.Length).OrderBy(i => (i * 37) % kinds.Length)];
        int[] again = SphericalKMeans.Find(samples.index_select(0, tensor(Array.ConvertAll(order, i => (long)i))), 5, before: null, restarts: 5, new Random(2));
        Assert.Equal(5, order.Select((i, at) => (found[i], again[at])).Distinct().Count());
    }

    [Fact]
    public void It_is_as_good_as_plain_loops_from_the_same_start()
    {
        using var scope = NewDisposeScope();
        (Tensor samples, int[] kinds) = Around(kinds: 4, each: 30, width: 8, spread: 1);
        int[] start = [.. Enumerable.Range(0, kinds.Length).Select(i => i % 3)];
        int[] found = SphericalKMeans.Find(samples, 3, start, restarts: 1, new Random(1));
        Assert.True(Distance(samples, found) <= Distance(samples, Lloyd(samples, start)) * 1.01 + 1e-6);
    }

    [Fact]
    public void What_was_found_before_stays_unless_another_start_is_clearly_better()
    {
        using var scope = NewDisposeScope();
        // One continuum: any start is about as good as any other.
        Tensor samples = nn.functional.normalize(randn([400, 4], generator: new Generator(3)), 2, dim: 1);
        int[] first = SphericalKMeans.Find(samples, 6, before: null, restarts: 3, new Random(1));
        int[] second = SphericalKMeans.Find(samples, 6, first, restarts: 3, new Random(2));
        Assert.Equal(6, first.Zip(second).Distinct().Count());

        // A bad one does not stay: two kinds in one cluster, and one in two.
        (Tensor apart, int[] kinds) = Around(kinds: 3, each: 50, width: 8, spread: 0.1);
        int[] bad = [.. kinds.Select((kind, i) => kind == 0 ? i % 2 : 2)];
        Assert.Equal(3, SphericalKMeans.Find(apart, 3, bad, restarts: 5, new Random(1)).Zip(kinds).Distinct().Count());
    }

    [Fact]
    public void Fewer_samples_than_clusters_are_a_cluster_each_and_nothing_is_leaked()
    {
        using var scope = NewDisposeScope();
        Tensor samples = eye(3, 5);
        long before = Making.LiveTensors();
        Assert.Equal([0, 1, 2], SphericalKMeans.Find(samples, 10, before: null, restarts: 2, new Random(1)));
        Assert.Equal(before, Tensor.TotalCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => SphericalKMeans.Find(samples, 0, before: null, restarts: 1, new Random(1)));
    }

    private static (Tensor Samples, int[] Kinds) Around(int kinds, int each, int width, double spread)
    {
        var generator = new Generator(7);
        int[] of = [.. Enumerable.Range(0, kinds * each).Select(i => i % kinds)];
        Tensor centres = eye(kinds, width);
        return (nn.functional.normalize(centres.index_select(0, tensor(Array.ConvertAll(of, i => (long)i))) + (randn([of.Length, width], generator: generator) * spread / Math.Sqrt(width)), 2, dim: 1), of);
    }

    private static int[] Lloyd(Tensor samples, int[] groups)
    {
        float[][] rows = Rows(samples);
        for (int step = 0; step < 100; step++)
        {
            double[][] means = Means(rows, groups);
            groups = Array.ConvertAll(rows, row => Enumerable.Range(0, means.Length).MaxBy(m => Dot(row, means[m])));
        }

        return groups;
    }

    private static double Distance(Tensor samples, int[] groups)
    {
        float[][] rows = Rows(samples);
        double[][] means = Means(rows, groups);
        return rows.Select((row, i) => 1 - Dot(row, means[groups[i]])).Average();
    }

    private static double[][] Means(float[][] rows, int[] groups) => [.. Enumerable.Range(0, groups.Max() + 1).Select(group =>
    {
        double[] sum = [.. Enumerable.Range(0, rows[0].Length).Select(d => rows.Where((_, i) => groups[i] == group).Sum(row => (double)row[d]))];
        double length = Math.Sqrt(sum.Sum(x => x * x));
        return Array.ConvertAll(sum, x => length == 0 ? 0 : x / length);
    })];

    private static double Dot(float[] row, double[] mean) => row.Zip(mean, (x, y) => x * y).Sum();

    private static float[][] Rows(Tensor samples) => [.. Enumerable.Range(0, (int)samples.shape[0]).Select(i => samples[i].data<float>().ToArray())];
}
