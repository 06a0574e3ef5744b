using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Describes samples by what they look like before anything is learned of them, less what all have in common: coarse pixels, or of waveforms how loud coarse bands are in the course of time.</summary>
internal static class RawFeatures
{
    // 5,000 samples of three channels take 15 MB; digits have as good neighbours as with all of their pixels.
    private const int Side = 16;

    // 80 dB below a value at full scale: what is quieter is silence.
    private const double LeastPower = 1e-8;

    /// <summary>Describes a buffer's samples.</summary>
    /// <param name="samples">The buffer.</param>
    /// <param name="device">Where it is computed.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>[n, C · h · w], float32, L2-normalised, h and w at most 16; of waveforms [n, 256].</returns>
    public static Tensor Of(ReplayBuffer samples, Device device, Action? between = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = TorchTensors.InParts(samples, device, samples.Shape.IsWaveform ? Bands : Pixels, between);
        return normalize(all - all.mean([0], keepdim: true), 2, dim: 1).MoveToOuterDisposeScope();
    }

    private static Tensor Pixels(Tensor samples) => adaptive_avg_pool2d(samples, [Math.Min(Side, samples.shape[2]), Math.Min(Side, samples.shape[3])]).flatten(1);

    // [m, 1, 1, T] -> [m, 256]: the logarithm of the power in 16 bands of 16 stretches.
    private static Tensor Bands(Tensor samples)
    {
        using var scope = NewDisposeScope();
        var length = samples.shape[3] / Side;
        var stretches = MuLaw.OfSamples(samples).flatten(1).narrow(1, 0, Side * length).reshape(-1, Side, length);
        var power = fft.rfft(stretches).abs().div(length).square();
        return (adaptive_avg_pool1d(power, Side) + LeastPower).log().flatten(1).MoveToOuterDisposeScope();
    }
}
