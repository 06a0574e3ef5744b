using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Cuts samples across into slices, as a recording's spectrogram is cut into times, each widened to the samples' shape, as encoders take it.</summary>
internal static class Slices
{
    /// <summary>The least width of samples whose slices still show something.</summary>
    public const int LeastWidth = 16;

    /// <summary>Slices one after another, each as far from the next, the first at the left edge and the last at the right one.</summary>
    /// <param name="pixels">[M, C, H, W], float32.</param>
    /// <param name="count">T, how many of each sample; 2 and more.</param>
    /// <param name="share">A slice's width as a share of the sample's; above 0, below 1. Slices overlap where it is above 1 / T.</param>
    /// <returns>[M·T, C, H, W]: all slices of the first sample from left to right, then those of the second.</returns>
    public static Tensor InOrder(Tensor pixels, int count, double share)
    {
        using var scope = NewDisposeScope();
        var middles = linspace(share - 1, 1 - share, count, device: pixels.device).unsqueeze(0).expand(pixels.shape[0], count);
        return Cut(pixels, middles, share).MoveToOuterDisposeScope();
    }

    /// <summary>Slices at random places.</summary>
    /// <param name="pixels">[M, C, H, W], float32.</param>
    /// <param name="count">T, how many of each sample.</param>
    /// <param name="share">A slice's width as a share of the sample's; above 0, below 1.</param>
    /// <param name="generator">Where randomness comes from; of the CPU.</param>
    /// <returns>[M·T, C, H, W]: all slices of the first sample, then those of the second.</returns>
    public static Tensor Anywhere(Tensor pixels, int count, double share, Generator generator)
    {
        using var scope = NewDisposeScope();
        var middles = ((rand([pixels.shape[0], count], generator: generator) * 2) - 1).to(pixels.device) * (1 - share);
        return Cut(pixels, middles, share).MoveToOuterDisposeScope();
    }

    // Middles are [M, T]; samples reach from -1 to 1.
    private static Tensor Cut(Tensor pixels, Tensor middles, double share)
    {
        var x = middles.reshape(-1);
        var (zoom, whole, none) = (full_like(x, share), ones_like(x), zeros_like(x));
        var maps = stack([stack([zoom, none, x], 1), stack([none, whole, none], 1)], 1);
        long[] shape = [x.shape[0], .. pixels.shape[1..]];
        return grid_sample(
            pixels.repeat_interleave(middles.shape[1], 0), affine_grid(maps, shape, align_corners: false), GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
    }
}

/// <summary>What was seen so far: a GRU over features.</summary>
/// <remarks>Cho et al. 2014, as van den Oord et al. 2018 use it.</remarks>
internal sealed class Recurrence : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.GRU _gru;

    /// <summary>With fresh weights.</summary>
    /// <param name="inputs">D.</param>
    /// <param name="width">H.</param>
    public Recurrence(long inputs, long width)
        : base("recurrence")
    {
        _gru = nn.GRU(inputs, width, batchFirst: true);
        RegisterComponents();
    }

    /// <summary>Computes contexts.</summary>
    /// <param name="input">[M, T, D].</param>
    /// <returns>[M, T, H]: at each place what follows from it and from those before.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _gru.call(input).Item1.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gru.Dispose();
        }

        base.Dispose(disposing);
    }
}
