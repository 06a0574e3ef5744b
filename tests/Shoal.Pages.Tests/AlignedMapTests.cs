using System.Runtime.InteropServices;
using Shoal.Contracts;
using Shoal.Pages.Mapping;

namespace Shoal.Pages.Tests;

/// <summary>Where embeddings lie on the map, from one version to the next.</summary>
public sealed class AlignedMapTests
{
    [Fact]
    public void The_plane_lies_where_embeddings_are_spread_widest()
    {
        // Spread 5 along the fourth value and 3 along the second; the others are noise of 0.1.
        double[][] rows = Rows(seed: 1, 400);
        EmbeddingTable table = Table(1, rows);

        var plane = Plane.Fit(table);

        double[] first = [.. rows.Select(row => row[3])];
        double[] second = [.. rows.Select(row => row[1])];
        Point[] places = [.. Enumerable.Range(0, rows.Length).Select(row => plane.Project(table[row]))];
        Assert.True(Math.Abs(Correlation(first, [.. places.Select(place => place.X)])) > 0.97);
        Assert.True(Math.Abs(Correlation(second, [.. places.Select(place => place.Y)])) > 0.97);

        // The control: each axis has nothing of the other's direction.
        Assert.True(Math.Abs(Correlation(first, [.. places.Select(place => place.Y)])) < 0.15);
    }

    [Fact]
    public void A_version_that_only_turned_all_embeddings_moves_nothing()
    {
        double[][] rows = Rows(seed: 2, 300);
        double[][] turned = Array.ConvertAll(rows, Turned);
        var map = new AlignedMap();
        Point[] before = map.Place(1, Table(1, rows));

        Point[] after = map.Place(2, Table(2, turned));

        // Half precision keeps three digits.
        Assert.True(Farthest(before, after) < 0.02, $"The farthest moved by {Farthest(before, after)}.");

        // The control: with nothing to lay it over, the same embeddings come to lie elsewhere.
        Point[] anew = new AlignedMap().Place(2, Table(2, Array.ConvertAll(rows, row => (double[])[-row[0], -row[1], -row[2], -row[3], row[4], row[5]])));
        Assert.True(Farthest(before, anew) > 0.5);
    }

    [Fact]
    public void Within_a_version_items_stay_where_they_are_when_others_come()
    {
        double[][] rows = Rows(seed: 3, 300);
        var map = new AlignedMap();
        Point[] before = map.Place(1, Table(1, rows[..200]));

        Point[] after = map.Place(1, Table(1, rows));

        Assert.Equal(before, after[..200]);
    }

    [Fact]
    public void Embeddings_that_are_all_alike_lie_in_one_place()
    {
        Point[] places = new AlignedMap().Place(1, Table(1, [.. Enumerable.Repeat((double[])[0, 1, 0, 0, 0, 0], 5)]));

        Assert.All(places, place => Assert.Equal(places[0], place));
        Assert.All(places, place => Assert.True(double.IsFinite(place.X) && double.IsFinite(place.Y)));
    }

    [Fact]
    public void A_table_leaves_out_what_was_read_twice_and_what_an_older_encoder_made()
    {
        EmbeddingSlice slice = Slice(["a", "b", "old"], [3, 3, 2], [[1, 0], [0, 1], [1, 1]]);
        EmbeddingSlice again = Slice(["b", "c"], [3, 3], [[0, 1], [0.5, 0.5]]);

        var table = EmbeddingTable.Of([slice, again], oldest: 3);

        Assert.Equal((string[])["a", "b", "c"], table.Ids);
        Assert.Equal((float[])[0.5f, 0.5f], table[2].ToArray());
    }

    private static double[][] Rows(int seed, int count)
    {
        var random = new Random(seed);
        double[] spread = [0.1, 3, 0.1, 5, 0.1, 0.1];
        return [.. Enumerable.Range(0, count).Select(_ => Array.ConvertAll(spread, width => width * (random.NextDouble() - 0.5)))];
    }

    // A rotation of three pairs of values: nothing is nearer to anything than before.
    private static double[] Turned(double[] row)
    {
        double[] turned = new double[row.Length];
        for (int i = 0; i < row.Length / 2; i++)
        {
            (double cos, double sin) = (Math.Cos(i + 1), Math.Sin(i + 1));
            turned[i] = (cos * row[i]) - (sin * row[i + 3]);
            turned[i + 3] = (sin * row[i]) + (cos * row[i + 3]);
        }

        return turned;
    }

    private static double Farthest(Point[] before, Point[] after) => before.Zip(after).Max(pair => double.Hypot(pair.First.X - pair.Second.X, pair.First.Y - pair.Second.Y));

    private static double Correlation(double[] a, double[] b)
    {
        (double meanA, double meanB) = (a.Average(), b.Average());
        (double ab, double aa, double bb) = (0, 0, 0);
        for (int i = 0; i < a.Length; i++)
        {
            ab += (a[i] - meanA) * (b[i] - meanB);
            aa += (a[i] - meanA) * (a[i] - meanA);
            bb += (b[i] - meanB) * (b[i] - meanB);
        }

        return ab / Math.Sqrt(aa * bb);
    }

    private static EmbeddingTable Table(int version, double[][] rows) =>
        EmbeddingTable.Of([Slice([.. Enumerable.Range(0, rows.Length).Select(i => $"item/{i}")], [.. Enumerable.Repeat(version, rows.Length)], rows)], version);

    private static EmbeddingSlice Slice(string[] ids, int[] versions, double[][] rows)
    {
        Half[] values = [.. rows.SelectMany(row => row).Select(value => (Half)value)];
        return new EmbeddingSlice
        {
            Ids = ids,
            Versions = versions,
            Embeddings = MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
            Width = rows[0].Length,
        };
    }
}
