namespace Shoal.Media;

/// <summary>
/// The colours that spectrograms are drawn in: from nearly black over purple, red and orange to a light yellow. Each step looks equally large, and
/// lightness only rises, so that neither a printer nor colour-blind eyes see edges that the sound does not have.
/// </summary>
/// <remarks>A path through OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020), cut into 255 steps of equal length there.</remarks>
internal static class LoudnessColours
{
    // Finer than what a byte of colour can tell.
    private const int Fine = 4_096;
    private static readonly byte[] Table = Make();

    /// <summary>Writes the colours of cells.</summary>
    /// <param name="levels">uint8, [H, W]; 255 is the loudest.</param>
    /// <param name="pixels">uint8, [3, H, W].</param>
    public static void Paint(ReadOnlySpan<byte> levels, Span<byte> pixels)
    {
        var plane = levels.Length;
        for (var i = 0; i < plane; i++)
        {
            (pixels[i], pixels[plane + i], pixels[(2 * plane) + i]) = Of(levels[i]);
        }
    }

    /// <summary>The colour of one cell, sRGB.</summary>
    /// <param name="level">255 is the loudest.</param>
    public static (byte Red, byte Green, byte Blue) Of(byte level) => (Table[3 * level], Table[(3 * level) + 1], Table[(3 * level) + 2]);

    private static byte[] Make()
    {
        var path = new (double L, double A, double B)[Fine];
        var lengths = new double[Fine];
        for (var i = 0; i < Fine; i++)
        {
            path[i] = At(i / (Fine - 1.0));
            lengths[i] = i == 0 ? 0 : lengths[i - 1] + Distance(path[i - 1], path[i]);
        }

        var table = new byte[3 * 256];
        for (int level = 0, i = 0; level < 256; level++)
        {
            while (i < Fine - 1 && lengths[i] < lengths[^1] * level / 255)
            {
                i++;
            }

            var (red, green, blue) = ToLinear(path[i]);
            (table[3 * level], table[(3 * level) + 1], table[(3 * level) + 2]) = (Stored(red), Stored(green), Stored(blue));
        }

        return table;
    }

    // Lightness in a straight line; the hue goes from violet (290 degrees) through red (360) to yellow (460); as colourful as a bow allows that is nothing at both ends.
    private static (double L, double A, double B) At(double t)
    {
        var (lightness, hue) = (0.12 + (0.85 * t), (290 + (170 * t)) * Math.PI / 180);
        var chroma = 0.03 + (0.17 * Math.Sin(Math.PI * t));

        // What no screen shows is made paler until one does.
        while (!IsShown(Colour(chroma)))
        {
            chroma -= 0.001;
        }

        return Colour(chroma);

        (double L, double A, double B) Colour(double c) => (lightness, c * Math.Cos(hue), c * Math.Sin(hue));
    }

    private static bool IsShown((double L, double A, double B) lab)
    {
        var (red, green, blue) = ToLinear(lab);
        return Math.Min(red, Math.Min(green, blue)) >= 0 && Math.Max(red, Math.Max(green, blue)) <= 1;
    }

    private static double Distance((double L, double A, double B) from, (double L, double A, double B) to) =>
        Math.Sqrt(Square(to.L - from.L) + Square(to.A - from.A) + Square(to.B - from.B));

    private static double Square(double value) => value * value;

    // OKLab to linear sRGB.
    private static (double Red, double Green, double Blue) ToLinear((double L, double A, double B) lab)
    {
        var l = Cube(lab.L + (0.3963377774 * lab.A) + (0.2158037573 * lab.B));
        var m = Cube(lab.L - (0.1055613458 * lab.A) - (0.0638541728 * lab.B));
        var s = Cube(lab.L - (0.0894841775 * lab.A) - (1.2914855480 * lab.B));
        return (
            (4.0767416621 * l) - (3.3077115913 * m) + (0.2309699292 * s),
            (-1.2684380046 * l) + (2.6097574011 * m) - (0.3413193965 * s),
            (-0.0041960863 * l) - (0.7034186147 * m) + (1.7076147010 * s));
    }

    private static double Cube(double value) => value * value * value;

    // The transfer function of sRGB (IEC 61966-2-1).
    private static byte Stored(double linear)
    {
        var value = linear <= 0.0031308 ? 12.92 * linear : (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055;
        return (byte)Math.Clamp((int)((255 * value) + 0.5), 0, 255);
    }
}
