using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Colours as people see them: CIE L*a*b* of sRGB under D65 (IEC 61966-2-1), and the colours there are on a grid of a* and b*.</summary>
internal static class LabColours
{
    /// <summary>The step of the grid.</summary>
    public const float Step = 10;

    // A pixel's linear light to X, Y, Z, each divided by that of white.
    private static readonly double[,] ToXyz =
    {
        { 0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047 },
        { 0.2126729, 0.7151522, 0.0721750 },
        { 0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883 },
    };

    private static readonly Lazy<float[]> Gamut = new(FindGamut);

    /// <summary>Points of the grid next to which some sRGB colour lies, a* and b* by turns, Q of them.</summary>
    public static float[] Points => Gamut.Value;

    /// <summary>Converts colours.</summary>
    /// <param name="pixels">sRGB, [N, 3, H, W], float32, 0 to 1.</param>
    /// <returns>[N, 3, H, W]: L* from 0 to 100, a*, b*.</returns>
    public static Tensor Of(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var linear = where(pixels.le(0.04045), pixels / 12.92, ((pixels + 0.055) / 1.055).pow(2.4));
        var flat = new float[9];
        Buffer.BlockCopy(ToXyz.Cast<double>().Select(value => (float)value).ToArray(), 0, flat, 0, sizeof(float) * flat.Length);
        var xyz = tensor(flat, device: pixels.device).view(1, 3, 3).matmul(linear.flatten(2));
        var cube = where(xyz.gt(216.0 / 24389), xyz.clamp_min(1e-9).pow(1.0 / 3), ((xyz * (24389.0 / 27)) + 16) / 116);
        var (x, y, z) = (cube.narrow(1, 0, 1), cube.narrow(1, 1, 1), cube.narrow(1, 2, 1));
        return cat([(y * 116) - 16, (x - y) * 500, (y - z) * 200], 1).view(pixels.shape).MoveToOuterDisposeScope();
    }

    private static float[] FindGamut()
    {
        // Every fifth of 256 steps, white included: neighbours are less than a third of the grid's step apart.
        const int Levels = 52;
        using var scope = NewDisposeScope();
        var levels = arange(Levels, ScalarType.Float32) / (Levels - 1);
        var all = cartesian_prod(levels, levels, levels).t().view(1, 3, Levels * Levels, Levels);
        var near = (Of(all).narrow(1, 1, 2).flatten(2).squeeze(0).t() / Step).round();
        return [.. near.data<float>().ToArray().Chunk(2).Select(point => (A: point[0] + 0f, B: point[1] + 0f)).Distinct().Order().SelectMany(point => new[] { point.A * Step, point.B * Step })];
    }
}
