using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Describes samples by what they look like before anything is learned of them: coarse pixels, less what all have in common.</summary>
internal static class RawFeatures
{
    // 5,000 samples of three channels take 15 MB; digits have as good neighbours as with all of their pixels.
    private const int Side = 16;

    /// <summary>Describes a buffer's samples.</summary>
    /// <param name="samples">The buffer.</param>
    /// <param name="device">Where it is computed.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>[n, C · h · w], float32, L2-normalised, h and w at most 16.</returns>
    public static Tensor Of(ReplayBuffer samples, Device device, Action? between = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (height, width) = (Math.Min(Side, samples.Shape.Height), Math.Min(Side, samples.Shape.Width));
        var all = TorchTensors.InParts(samples, device, part => adaptive_avg_pool2d(part, [height, width]).flatten(1), between);
        return normalize(all - all.mean([0], keepdim: true), 2, dim: 1).MoveToOuterDisposeScope();
    }
}
