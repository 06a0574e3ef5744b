using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Turns waveforms as samples hold them into pressure, and back.</summary>
/// <remarks>ITU-T G.711's mu-law as a formula: y = sign(x) ln(1 + mu |x|) / ln(1 + mu), mu = 255; y = 0 is the byte 128, y = -1 and 1 are 1 and 255.</remarks>
internal static class MuLaw
{
    /// <summary>What no pressure is in samples from 0 to 1.</summary>
    public const double Middle = 128.0 / 255;

    /// <summary>How far full scale is from it.</summary>
    public const double Reach = 127.0 / 255;

    private const double Mu = 255;

    private static readonly double Logarithm = Math.Log(1 + Mu);

    /// <summary>Pressure of samples.</summary>
    /// <param name="samples">Any shape, float32, 0 to 1.</param>
    /// <returns>The same shape, -1 to 1; what is beyond 0 to 1 is beyond that, too.</returns>
    public static Tensor OfSamples(Tensor samples)
    {
        using var scope = NewDisposeScope();
        return Expanded((samples - Middle) / Reach).MoveToOuterDisposeScope();
    }

    /// <summary>Samples of pressure.</summary>
    /// <param name="pressure">Any shape, float32; what is beyond -1 to 1 is cut off.</param>
    /// <returns>The same shape, 0 to 1.</returns>
    public static Tensor ToSamples(Tensor pressure)
    {
        using var scope = NewDisposeScope();
        var loudness = (pressure.abs().clamp_max(1) * Mu).log1p() / Logarithm;
        return ((pressure.sign() * loudness * Reach) + Middle).MoveToOuterDisposeScope();
    }

    /// <summary>Pressure of companded values.</summary>
    /// <param name="companded">y, any shape, float32, -1 to 1.</param>
    /// <returns>x, the same shape.</returns>
    public static Tensor Expanded(Tensor companded)
    {
        using var scope = NewDisposeScope();
        return (companded.sign() * (companded.abs() * Logarithm).expm1() / Mu).MoveToOuterDisposeScope();
    }
}
