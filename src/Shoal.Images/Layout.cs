namespace Shoal.Media;

/// <summary>Which part of a picture becomes a target of given size: the largest centred part of the target's aspect.</summary>
/// <param name="Width">Width of the target in pixels.</param>
/// <param name="Height">Height of the target in pixels.</param>
internal readonly record struct Layout(int Width, int Height)
{
    /// <summary>The whole picture, shrunk until its longer side fits; never enlarged.</summary>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    /// <param name="longest">The longer side at most.</param>
    public static Layout Within(int width, int height, int longest)
    {
        var scale = Math.Min(1, longest / (double)Math.Max(width, height));
        return new(Shrunk(width), Shrunk(height));

        int Shrunk(int side) => Math.Max(1, (int)Math.Round(side * scale, MidpointRounding.AwayFromZero));
    }

    /// <summary>The same for a picture stored on its side.</summary>
    public Layout Turned() => new(Height, Width);

    /// <summary>Whether a decoded picture has at least 2 x 2 pixels for each of the target's, so that its own sampling stays below what is seen.</summary>
    /// <param name="width">Decoded width.</param>
    /// <param name="height">Decoded height.</param>
    public bool IsCoveredBy(int width, int height) => width >= 2 * Width && height >= 2 * Height;

    /// <summary>The part of a picture that is taken.</summary>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    public (Resampler.Axis X, Resampler.Axis Y) Axes(int width, int height)
    {
        // The larger of the two scales makes the shorter side fit; what the other side has too much is cut off evenly.
        var scale = Math.Max(Width / (double)width, Height / (double)height);
        var (across, down) = (Width / scale, Height / scale);
        return (new(width, (width - across) / 2, across, Width), new(height, (height - down) / 2, down, Height));
    }
}
