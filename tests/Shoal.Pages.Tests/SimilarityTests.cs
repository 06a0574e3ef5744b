using Shoal.Pages.Mapping;

namespace Shoal.Pages.Tests;

/// <summary>Points laid over others.</summary>
public sealed class SimilarityTests
{
    [Theory]
    [InlineData(0.3, false, 1)]
    [InlineData(2.9, false, 4)]
    [InlineData(-1.2, true, 0.25)]
    [InlineData(3.1, true, 2)]
    public void A_turn_a_reflection_a_scale_and_a_shift_are_taken_back(double angle, bool flips, double scale)
    {
        Point[] points = Cloud(seed: 5);
        Point[] onto = Array.ConvertAll(points, point =>
        {
            double y = flips ? -point.Y : point.Y;
            return new Point(
                (scale * ((Math.Cos(angle) * point.X) - (Math.Sin(angle) * y))) + 7,
                (scale * ((Math.Sin(angle) * point.X) + (Math.Cos(angle) * y))) - 3);
        });

        var lay = Similarity.Fit(points, onto);

        Assert.All(points.Zip(onto), pair => AssertNear(pair.Second, lay.Of(pair.First)));
    }

    [Fact]
    public void A_square_that_was_turned_by_a_right_angle_is_turned_back()
    {
        Point[] square = [new(1, 0), new(0, 2), new(-1, 0), new(0, -2)];
        Point[] turned = [new(0, 1), new(-2, 0), new(0, -1), new(2, 0)];

        var lay = Similarity.Fit(turned, square);

        AssertNear(new Point(1, 0), lay.Of(new Point(0, 1)));
        AssertNear(new Point(0, -4), lay.Of(new Point(4, 0)));
    }

    [Fact]
    public void No_other_turn_fits_better()
    {
        Point[] points = Cloud(seed: 1);
        Point[] onto = Cloud(seed: 2);
        var lay = Similarity.Fit(points, onto);
        double best = Error(lay, points, onto);

        // Every degree, turned and reflected, by the same scale and onto the same middle.
        double scale = double.Hypot(lay.A, lay.C);
        for (int degree = 0; degree < 360; degree++)
        {
            (double cos, double sin) = (scale * Math.Cos(degree * Math.PI / 180), scale * Math.Sin(degree * Math.PI / 180));
            Assert.True(best <= Error(Centred(new Similarity(cos, -sin, sin, cos, 0, 0), points, onto), points, onto) + 1e-9);
            Assert.True(best <= Error(Centred(new Similarity(cos, sin, sin, -cos, 0, 0), points, onto), points, onto) + 1e-9);
        }
    }

    [Fact]
    public void Points_that_no_longer_resemble_the_others_are_spread_as_wide()
    {
        Point[] points = Cloud(seed: 3);
        Point[] onto = Cloud(seed: 4);

        var lay = Similarity.Fit(points, onto);

        Assert.Equal(Spread(onto), Spread(Array.ConvertAll(points, lay.Of)), 9);
    }

    [Fact]
    public void Points_in_one_place_come_to_the_middle_of_the_others()
    {
        var lay = Similarity.Fit([new(3, 3), new(3, 3)], [new(0, 0), new(2, 4)]);

        AssertNear(new Point(1, 2), lay.Of(new Point(3, 3)));
    }

    [Fact]
    public void The_first_map_is_one_wide_about_the_middle()
    {
        Point[] points = Array.ConvertAll(Cloud(seed: 6), point => new Point((40 * point.X) + 9, 40 * point.Y));

        var lay = Similarity.Standard(points);

        Assert.Equal(1, Spread(Array.ConvertAll(points, lay.Of)), 9);
    }

    private static Point[] Cloud(int seed)
    {
        var random = new Random(seed);
        var points = new Point[40];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = new Point(3 * random.NextDouble(), random.NextDouble());
        }

        return points;
    }

    private static Similarity Centred(Similarity turn, Point[] points, Point[] onto)
    {
        Point moved = turn.Of(Middle(points));
        return turn with { X = Middle(onto).X - moved.X, Y = Middle(onto).Y - moved.Y };
    }

    private static double Error(Similarity lay, Point[] points, Point[] onto)
    {
        double sum = 0;
        for (int i = 0; i < points.Length; i++)
        {
            Point moved = lay.Of(points[i]);
            sum += Math.Pow(moved.X - onto[i].X, 2) + Math.Pow(moved.Y - onto[i].Y, 2);
        }

        return sum;
    }

    private static Point Middle(Point[] points) => new(points.Average(point => point.X), points.Average(point => point.Y));

    private static double Spread(Point[] points)
    {
        Point middle = Middle(points);
        return Math.Sqrt(points.Average(point => Math.Pow(point.X - middle.X, 2) + Math.Pow(point.Y - middle.Y, 2)));
    }

    private static void AssertNear(Point expected, Point actual)
    {
        Assert.Equal(expected.X, actual.X, 9);
        Assert.Equal(expected.Y, actual.Y, 9);
    }
}
