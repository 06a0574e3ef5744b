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

    /// <summary>A random piece of each of some cells.</summary>
    /// <param name="pixels">[M, C, H, W], float32.</param>
    /// <param name="cells">The cells of each sample, 0 to 8 from left to right, then downwards, [M, K], int64; of the CPU.</param>
    /// <param name="share">The piece's side as a share of the cell's, above 0 to 1; where it lies in the cell is random.</param>
    /// <param name="generator">Where randomness comes from; of the CPU.</param>
    /// <returns>[M·K, C, H, W]: the pieces of the first sample in the order of its cells, then those of the second.</returns>
    public static Tensor Cut(Tensor pixels, Tensor cells, double share, Generator generator)
    {
        using var scope = NewDisposeScope();
        Tensor Middles(Tensor places) => ((((places * 2) + 1).to_type(ScalarType.Float32) / Side) - 1 + (((rand(cells.shape, generator: generator) * 2) - 1) * ((1 - share) / Side))).flatten().to(pixels.device);
        var (x, y) = (Middles(cells % Side), Middles(cells.div(Side, RoundingMode.floor)));
        var (zoom, none) = (full_like(x, share / Side), zeros_like(x));
        var maps = stack([stack([zoom, none, x], 1), stack([none, zoom, y], 1)], 1);
        long[] shape = [x.shape[0], .. pixels.shape[1..]];
        var grid = affine_grid(maps, shape, align_corners: false);
        return grid_sample(pixels.repeat_interleave(cells.shape[1], 0), grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false).MoveToOuterDisposeScope();
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
