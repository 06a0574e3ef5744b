namespace Shoal.Pages.Mapping;

/// <summary>A place on the map.</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Upwards.</param>
public readonly record struct Point(double X, double Y);

/// <summary>A rotation or reflection of the plane with one scale, and a shift: it moves points about and leaves who is near whom.</summary>
/// <param name="A">x' by x.</param>
/// <param name="B">x' by y.</param>
/// <param name="C">y' by x.</param>
/// <param name="D">y' by y.</param>
/// <param name="X">Added to x'.</param>
/// <param name="Y">Added to y'.</param>
internal readonly record struct Similarity(double A, double B, double C, double D, double X, double Y)
{
    /// <summary>Moves a point.</summary>
    /// <param name="point">The point.</param>
    public Point Of(Point point) => new((A * point.X) + (B * point.Y) + X, (C * point.X) + (D * point.Y) + Y);

    /// <summary>Turns points about their middle so that their mean distance from it is one.</summary>
    /// <param name="points">The points, [N].</param>
    public static Similarity Standard(IReadOnlyList<Point> points)
    {
        Point middle = Middle(points);
        double spread = Spread(points, middle);
        double scale = spread > 0 ? 1 / spread : 1;
        return new Similarity(scale, 0, 0, scale, -scale * middle.X, -scale * middle.Y);
    }

    /// <summary>
    /// Lays points over others as well as can be: orthogonal Procrustes analysis (P. H. Schönemann, 1966), which in the plane has a closed form, with the scale
    /// that makes both spread alike, so that points which no longer resemble the others do not shrink to nothing.
    /// </summary>
    /// <param name="points">The points to move, [N].</param>
    /// <param name="onto">Where each of them should come to lie, [N].</param>
    public static Similarity Fit(IReadOnlyList<Point> points, IReadOnlyList<Point> onto)
    {
        (Point from, Point to) = (Middle(points), Middle(onto));

        // Sums of x'x, x'y, y'x and y'y about the middles.
        (double xx, double xy, double yx, double yy) = (0, 0, 0, 0);
        for (int i = 0; i < points.Count; i++)
        {
            (double x, double y) = (points[i].X - from.X, points[i].Y - from.Y);
            (double wantedX, double wantedY) = (onto[i].X - to.X, onto[i].Y - to.Y);
            xx += wantedX * x;
            xy += wantedX * y;
            yx += wantedY * x;
            yy += wantedY * y;
        }

        // A rotation by t overlaps by (xx + yy) cos t + (yx - xy) sin t, a reflection by (xx - yy) cos t + (xy + yx) sin t.
        (double turnCos, double turnSin, double flipCos, double flipSin) = (xx + yy, yx - xy, xx - yy, xy + yx);
        bool flips = double.Hypot(flipCos, flipSin) > double.Hypot(turnCos, turnSin);
        double angle = flips ? Math.Atan2(flipSin, flipCos) : Math.Atan2(turnSin, turnCos);
        double spread = Spread(points, from);
        double scale = spread > 0 ? Spread(onto, to) / spread : 1;
        (double cos, double sin) = (scale * Math.Cos(angle), scale * Math.Sin(angle));
        Similarity turned = flips ? new(cos, sin, sin, -cos, 0, 0) : new(cos, -sin, sin, cos, 0, 0);
        Point moved = turned.Of(from);
        return turned with { X = to.X - moved.X, Y = to.Y - moved.Y };
    }

    private static Point Middle(IReadOnlyList<Point> points) => points.Count == 0 ? default : new(points.Average(point => point.X), points.Average(point => point.Y));

    // The root of the mean squared distance.
    private static double Spread(IReadOnlyList<Point> points, Point middle) => points.Count == 0
        ? 0
        : Math.Sqrt(points.Average(point => ((point.X - middle.X) * (point.X - middle.X)) + ((point.Y - middle.Y) * (point.Y - middle.Y))));
}
