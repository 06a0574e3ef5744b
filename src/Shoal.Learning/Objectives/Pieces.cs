using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Cuts samples into a grid of cells and shows a piece of each, enlarged to the samples' shape, as encoders take it.</summary>
internal static class Pieces
{
    /// <summary>Cells along a side.</summary>
    public const int Side = 3;

    /// <summary>Cells of a sample.</summary>
    public const int Count = Side * Side;

    /// <summary>The least side of samples whose pieces still show something.</summary>
    public const int LeastSide = 24;

    // Pieces are told apart by what they show, not by how bright or contrasty they are; flat ones stay flat.
    private const double Middle = 0.5;
    private const double Deviation = 0.25;
    private const double LeastDeviation = 0.02;

    /// <summary>A random piece of every cell.</summary>
    /// <param name="pixels">[M, C, H, W], float32.</param>
    /// <param name="share">The piece's side as a share of the cell's, above 0 to 1; where it lies in the cell is random.</param>
    /// <param name="generator">Where randomness comes from; of the CPU.</param>
    /// <returns>[9M, C, H, W]: the nine pieces of the first sample from left to right, then downwards, then those of the second.</returns>
    public static Tensor Cut(Tensor pixels, double share, Generator generator)
    {
        using var scope = NewDisposeScope();
        var (samples, device) = (pixels.shape[0], pixels.device);
        var middles = (((arange(Side, ScalarType.Float32, device) * 2) + 1) / Side) - 1;
        Tensor Jitter() => ((rand([samples, Count], generator: generator) * 2) - 1).to(device) * ((1 - share) / Side);
        var (x, y) = (middles.repeat(Side).unsqueeze(0) + Jitter(), middles.repeat_interleave(Side).unsqueeze(0) + Jitter());
        var (zoom, none) = (full_like(x, share / Side), zeros_like(x));
        var maps = stack([stack([zoom, none, x], 2), stack([none, zoom, y], 2)], 2).flatten(0, 1);
        long[] shape = [samples * Count, .. pixels.shape[1..]];
        var grid = affine_grid(maps, shape, align_corners: false);
        return grid_sample(pixels.repeat_interleave(Count, 0), grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false).MoveToOuterDisposeScope();
    }

    /// <summary>Each with the same mean and deviation over its pixels, so that neither tells where it lay.</summary>
    /// <param name="pieces">[K, C, H, W].</param>
    /// <returns>The same shape, about 0 to 1.</returns>
    public static Tensor Standardised(Tensor pieces)
    {
        using var scope = NewDisposeScope();
        var centred = pieces - pieces.mean([1, 2, 3], keepdim: true);
        var deviation = centred.square().mean([1, 2, 3], keepdim: true).sqrt().clamp_min(LeastDeviation);
        return ((centred / deviation * Deviation) + Middle).MoveToOuterDisposeScope();
    }
}
