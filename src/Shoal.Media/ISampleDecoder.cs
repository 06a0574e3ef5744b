namespace Shoal.Media;

/// <summary>
/// Turns items' bytes into a dataset's samples, uint8 [Channels, Height, Width], whatever the items are. Thread-safe;
/// nothing of an item is kept between calls.
/// </summary>
public interface ISampleDecoder
{
    /// <summary>Bytes of a sample: Channels x Height x Width.</summary>
    int SampleBytes { get; }

    /// <summary>Looks at the header and bounds, in microseconds: for the producer who waits for an answer.</summary>
    /// <param name="mediaType">The declared type; parameters after ';' are not looked at.</param>
    /// <param name="bytes">The item's bytes.</param>
    /// <returns>What is wrong; null when nothing is. What the header describes is not looked at, so that <see cref="TryDecode"/> may still fail.</returns>
    MediaProblem? Check(string mediaType, ReadOnlySpan<byte> bytes);

    /// <summary>Decodes an item.</summary>
    /// <param name="mediaType">As for <see cref="Check"/>.</param>
    /// <param name="bytes">The item's bytes.</param>
    /// <param name="sample">Where the sample goes, <see cref="SampleBytes"/> long; left as it was on failure.</param>
    /// <param name="problem">The reason for quarantine; null on success.</param>
    /// <returns>False when it cannot be decoded, which repeating does not change.</returns>
    /// <exception cref="ArgumentException"><paramref name="sample"/> has another length.</exception>
    /// <exception cref="DecodeMemoryException">No memory now; the same bytes may decode later.</exception>
    bool TryDecode(string mediaType, ReadOnlySpan<byte> bytes, Span<byte> sample, out MediaProblem? problem);
}
