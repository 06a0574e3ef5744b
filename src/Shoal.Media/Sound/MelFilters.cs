namespace Shoal.Media.Sound;

/// <summary>
/// Triangles over a power spectrum whose corners are evenly spaced on the mel scale from 0 to the Nyquist frequency, each
/// reaching from its lower neighbour's peak to its upper neighbour's, 1 at its own (HTK's scale; triangles are straight in
/// hertz). Only weights that are not 0 are kept.
/// </summary>
internal sealed class MelFilters
{
    private readonly int[] _first;
    private readonly double[][] _weights;

    /// <summary>Makes filters.</summary>
    /// <param name="mels">How many.</param>
    /// <param name="rate">Values a second of the sound.</param>
    /// <param name="length">Values that were transformed, a power of two; <see cref="ShortestFor"/> at least.</param>
    public MelFilters(int mels, int rate, int length)
    {
        var spacing = rate / (double)length;
        _first = new int[mels];
        _weights = new double[mels][];
        for (var mel = 0; mel < mels; mel++)
        {
            var (low, peak, high) = (Corner(mel, mels, rate), Corner(mel + 1, mels, rate), Corner(mel + 2, mels, rate));
            _first[mel] = (int)Math.Floor(low / spacing) + 1;
            var end = Math.Min((int)Math.Ceiling(high / spacing), (length / 2) + 1);
            _weights[mel] = new double[end - _first[mel]];
            for (var bin = _first[mel]; bin < end; bin++)
            {
                var hertz = bin * spacing;
                _weights[mel][bin - _first[mel]] = hertz <= peak ? (hertz - low) / (peak - low) : (high - hertz) / (high - peak);
            }
        }
    }

    /// <summary>The fewest values to transform, so that even the lowest and narrowest filter has a frequency within it.</summary>
    /// <param name="mels">How many filters.</param>
    /// <param name="rate">Values a second of the sound.</param>
    public static int ShortestFor(int mels, int rate) => (int)Math.Floor(rate / Corner(2, mels, rate)) + 1;

    /// <summary>The power in each filter.</summary>
    /// <param name="power">Power spectrum from 0 to the Nyquist frequency, [length / 2 + 1].</param>
    /// <param name="bands">Where it goes, the lowest first, [mels].</param>
    public void Apply(ReadOnlySpan<double> power, Span<double> bands)
    {
        for (var mel = 0; mel < bands.Length; mel++)
        {
            var weights = _weights[mel];
            var bins = power.Slice(_first[mel], weights.Length);
            var sum = 0.0;
            for (var i = 0; i < bins.Length; i++)
            {
                sum += bins[i] * weights[i];
            }

            bands[mel] = sum;
        }
    }

    // O'Shaughnessy, Speech Communication (1987): mel = 2595 log10(1 + hertz / 700).
    private static double Corner(int number, int mels, int rate)
    {
        var top = 2_595 * Math.Log10(1 + (rate / 2.0 / 700));
        return 700 * (Math.Pow(10, number * top / (mels + 1) / 2_595) - 1);
    }
}
