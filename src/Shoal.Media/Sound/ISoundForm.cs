namespace Shoal.Media.Sound;

/// <summary>What the samples of a dataset of sound are: makes them of windows. Thread-safe.</summary>
internal interface ISoundForm
{
    /// <summary>Bytes of a sample.</summary>
    int SampleBytes { get; }

    /// <summary>A sample's shape, as people write it.</summary>
    string Shape { get; }

    /// <summary>Computes a sample.</summary>
    /// <param name="mono">Finite values, at most those of a window; what is missing at the end is silence.</param>
    /// <param name="sample">uint8, <see cref="SampleBytes"/>.</param>
    void Compute(ReadOnlySpan<float> mono, Span<byte> sample);
}
