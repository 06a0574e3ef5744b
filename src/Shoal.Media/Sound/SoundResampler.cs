using System.Collections.Concurrent;
using System.Numerics.Tensors;

namespace Shoal.Media.Sound;

/// <summary>
/// Changes the rate of a sound by a sinc under a Kaiser window (Kaiser 1974; Oppenheim and Schafer, Discrete-Time Signal
/// Processing, section 7.5), one row of weights for each place between two values. No delay: value 0 stays value 0.
/// Immutable and thread-safe.
/// </summary>
/// <remarks>
/// Our own, for speed. Measured from 44,100 to 16,000 Hz, tones of 1.02 to 2.7 times the new Nyquist frequency: NAudio.Core
/// 3.3.0's WdlResampler leaves -18 dB as it comes, -36 with a sinc of 256 values and -116 with 512, then at 25 ms a second
/// of sound; NWaves 0.9.6's Resampler leaves -9 at 19 ms, and -25 with a filter of 401 at 64 ms.
/// </remarks>
internal sealed class SoundResampler
{
    // 48 zero crossings a side and beta for 80 dB fall within 0.105 of the Nyquist frequency; put at 0.947 of the lower
    // of both rates', sound up to 0.894 of it is kept and from 1 on is 80 dB down.
    private const double Crossings = 48;
    private const double Beta = 0.1102 * (80 - 8.7);
    private const double Cutoff = 0.947;

    // Exact rows for 44,100 to 16,000 Hz are 160 of 288. Odd pairs of rates would need many thousands, and blend two
    // neighbours of those that fit into 1 MiB instead, which measures no worse.
    private const int MostWeights = 1 << 18;

    // Recorders of one dataset have few rates; a producer who sends every rate there is must not fill the memory.
    private const int MostKept = 16;
    private static readonly ConcurrentDictionary<(int From, int To), SoundResampler> Kept = new();

    private readonly long _up;
    private readonly long _down;
    private readonly int _reach;
    private readonly int _phases;
    private readonly float[] _weights;

    private SoundResampler(int from, int to)
    {
        var divisor = Divisor(from, to);
        (_up, _down) = (to / divisor, from / divisor);
        var scale = Math.Min(1, to / (double)from);
        _reach = (int)Math.Ceiling(Crossings / scale);
        _phases = (int)Math.Min(_up, (MostWeights / (2 * _reach)) - 1);

        // One row more than places, for the upper neighbour of the last.
        _weights = new float[(_phases + 1) * 2 * _reach];
        for (var phase = 0; phase <= _phases; phase++)
        {
            Fill(_weights.AsSpan(phase * 2 * _reach, 2 * _reach), phase / (double)_phases, scale);
        }
    }

    /// <summary>The resampler of two rates.</summary>
    /// <param name="from">Values a second that there are.</param>
    /// <param name="to">Values a second that are wanted; another number.</param>
    public static SoundResampler For(int from, int to)
    {
        if (Kept.TryGetValue((from, to), out var known))
        {
            return known;
        }

        if (Kept.Count >= MostKept)
        {
            Kept.Clear();
        }

        return Kept[(from, to)] = new SoundResampler(from, to);
    }

    /// <summary>How many values become of some: those that begin within them.</summary>
    /// <param name="length">Values that there are.</param>
    /// <param name="from">Values a second that there are.</param>
    /// <param name="to">Values a second that are wanted.</param>
    /// <exception cref="OverflowException">More than an array can hold.</exception>
    public static int LengthOf(int length, int from, int to) => checked((int)((((long)length * to) + from - 1) / from));

    /// <summary>Resamples a whole sound; before and behind it is silence.</summary>
    /// <param name="source">The sound.</param>
    /// <param name="target">Where it goes; <see cref="LengthOf"/> long.</param>
    public void Resample(ReadOnlySpan<float> source, Span<float> target)
    {
        for (var i = 0; i < target.Length; i++)
        {
            var place = i * _down;
            var first = (int)(place / _up) - _reach + 1;
            var (phase, rest) = Math.DivRem(place % _up * _phases, _up);
            var value = Sum(source, first, (int)phase);
            target[i] = rest == 0 ? value : float.Lerp(value, Sum(source, first, (int)phase + 1), rest / (float)_up);
        }
    }

    // Modified Bessel function of the first kind and order 0, by its series.
    private static double Bessel(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; term > 1e-12 * sum; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }

        return sum;
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);

    // Weights of the values from 1 - reach to reach around a place between value 0 and value 1; their sum is 1.
    private void Fill(Span<float> row, double place, double scale)
    {
        var total = 0.0;
        Span<double> exact = row.Length <= 1_024 ? stackalloc double[row.Length] : new double[row.Length];
        for (var i = 0; i < row.Length; i++)
        {
            var x = (i + 1 - _reach - place) * scale;
            var edge = 1 - (x * x / (Crossings * Crossings));
            var phase = Math.PI * Cutoff * x;
            exact[i] = edge <= 0 ? 0 : (phase == 0 ? 1 : Math.Sin(phase) / phase) * Bessel(Beta * Math.Sqrt(edge));
            total += exact[i];
        }

        for (var i = 0; i < row.Length; i++)
        {
            row[i] = (float)(exact[i] / total);
        }
    }

    private float Sum(ReadOnlySpan<float> source, int first, int phase)
    {
        var row = _weights.AsSpan(phase * 2 * _reach, 2 * _reach);
        var (from, to) = (Math.Max(0, first), Math.Min(source.Length, first + row.Length));
        return to <= from ? 0 : TensorPrimitives.Dot(source[from..to], row[(from - first)..(to - first)]);
    }
}
