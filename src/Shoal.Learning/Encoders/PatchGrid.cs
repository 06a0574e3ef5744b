using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Cuts samples into square patches, at most eight along a side.</summary>
/// <param name="Side">A patch's side, pixels.</param>
/// <param name="Down">Patches from top to bottom.</param>
/// <param name="Across">Patches from left to right.</param>
/// <param name="Channels">The samples' channels.</param>
internal sealed record PatchGrid(int Side, int Down, int Across, int Channels)
{
    private const int Most = 8;

    /// <summary>Patches of a sample, T.</summary>
    public int Count => Down * Across;

    /// <summary>Numbers in a patch, L.</summary>
    public int Length => Side * Side * Channels;

    /// <summary>The grid of samples of a shape.</summary>
    /// <param name="shape">Their shape.</param>
    public static PatchGrid Of(SampleShape shape)
    {
        var side = DivideUp(Math.Max(shape.Height, shape.Width), Most);
        return new PatchGrid(side, DivideUp(shape.Height, side), DivideUp(shape.Width, side), shape.Channels);
    }

    /// <summary>The patches of samples; what the last ones reach beyond continues the border.</summary>
    /// <param name="samples">[N, C, H, W].</param>
    /// <returns>[N, T, L], from left to right, then downwards; in each all rows of the first channel, then of the next.</returns>
    public Tensor Split(Tensor samples)
    {
        using var scope = NewDisposeScope();
        var (right, below) = ((Across * Side) - samples.shape[3], (Down * Side) - samples.shape[2]);
        var padded = right + below == 0 ? samples : pad(samples, [0, right, 0, below], TorchSharp.PaddingModes.Replicate);
        return padded.reshape(-1, Channels, Down, Side, Across, Side).permute(0, 2, 4, 1, 3, 5).reshape(-1, Count, Length).MoveToOuterDisposeScope();
    }

    /// <summary>Where patches are: sines and cosines of the row and of the column, of falling frequencies (Vaswani et al. 2017, section 3.5, in two dimensions).</summary>
    /// <param name="width">D, a multiple of 4.</param>
    /// <returns>[T, D]: a quarter each of sines of the row, cosines of the row, sines and cosines of the column.</returns>
    public Tensor Positions(int width)
    {
        using var scope = NewDisposeScope();
        var frequencies = pow(10_000, arange(width / 4, ScalarType.Float32) * (-4.0 / width)).unsqueeze(0);
        Tensor[] Waves(Tensor places)
        {
            var angles = places.to_type(ScalarType.Float32).unsqueeze(1) * frequencies;
            return [angles.sin(), angles.cos()];
        }

        return cat([.. Waves(arange(Down).repeat_interleave(Across)), .. Waves(arange(Across).repeat(Down))], 1).MoveToOuterDisposeScope();
    }

    private static int DivideUp(int length, int by) => (length + by - 1) / by;
}
