namespace Shoal.Media.Sound;

/// <summary>
/// Keeps the values of a window themselves, in eight bits each: less their mean, the one furthest from it at full scale, and companded. Gain and a
/// constant offset change nothing. Thread-safe.
/// </summary>
/// <remarks>
/// Companding is that of ITU-T G.711's mu-law as a formula, y = sign(x) ln(1 + 255 |x|) / ln 256, in place of its straight segments: rounding is then some 35 dB below a value whether it is loud or
/// 40 dB quieter, where eight straight bits would leave a quiet one nothing. Scaled by the peak, not by the mean power, no value is cut off, and what a click takes from
/// the level of everything else costs next to nothing. 0 is 128 exactly, full scale 1 and 255; 0 does not occur.
/// </remarks>
/// <param name="options">The canonical form.</param>
internal sealed class Waveform(SoundFormatOptions options) : ISoundForm
{
    private const double Mu = 255;
    private const int Middle = 128;
    private const int Reach = 127;

    private static readonly double Scale = Reach / Math.Log(1 + Mu);

    /// <inheritdoc/>
    public int SampleBytes => options.WindowLength;

    /// <inheritdoc/>
    public string Shape => $"1 x 1 x {options.WindowLength}";

    /// <summary>Compands a window.</summary>
    /// <param name="mono">Finite values, at most those of a window; what is missing at the end is silence.</param>
    /// <param name="sample">uint8, [1, 1, T]. All 128 where all values are alike.</param>
    public void Compute(ReadOnlySpan<float> mono, Span<byte> sample)
    {
        sample.Fill(Middle);
        var mean = Silence.Mean(mono);
        var peak = 0.0;
        foreach (var value in mono)
        {
            peak = Math.Max(peak, Math.Abs((double)value - mean));
        }

        if (peak == 0)
        {
            return;
        }

        for (var i = 0; i < mono.Length; i++)
        {
            var value = ((double)mono[i] - mean) / peak;
            sample[i] = (byte)(Middle + (Math.Sign(value) * (int)((Math.Log(1 + (Mu * Math.Abs(value))) * Scale) + 0.5)));
        }
    }
}
