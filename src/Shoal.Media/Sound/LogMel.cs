using System.Collections.Concurrent;
using System.Numerics;
using NWaves.Transforms;

namespace Shoal.Media.Sound;

/// <summary>
/// Turns a window of sound into a picture: time from left to right, mel bands from low at the bottom to high at the top,
/// brightness for loudness in decibels below the window's loudest place. Gain and a constant offset change nothing.
/// Thread-safe.
/// </summary>
internal sealed class LogMel : ISoundForm
{
    // So far below the loudest place is black; 16-bit recordings have little below it but their own noise.
    private const double RangeDb = 80;

    private readonly int _mels;
    private readonly int _frames;
    private readonly double _hop;
    private readonly double[] _hann;
    private readonly int _transformed;
    private readonly MelFilters _filters;
    private readonly ConcurrentBag<Workspace> _idle = [];

    /// <summary>Makes the tables of one form.</summary>
    /// <param name="options">The canonical form.</param>
    public LogMel(SoundFormatOptions options)
    {
        (_mels, _frames, Length) = (options.Mels, options.Frames, options.WindowLength);
        _hop = Length / (double)_frames;

        // Two hops, so that every value counts in two frames; 25 ms at least, or the pitch of low voices would not be resolved.
        var frame = Math.Max(Rounded(0.025 * options.SampleRate), Rounded(2 * _hop));
        _hann = new double[frame];
        for (var i = 0; i < frame; i++)
        {
            _hann[i] = 0.5 - (0.5 * Math.Cos(2 * Math.PI * i / frame));
        }

        _transformed = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(frame, MelFilters.ShortestFor(_mels, options.SampleRate)));
        _filters = new(_mels, options.SampleRate, _transformed);
    }

    /// <summary>Values of a window.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public int SampleBytes => _mels * _frames;

    /// <inheritdoc/>
    public string Shape => $"1 x {_mels} x {_frames}";

    /// <summary>Computes a sample.</summary>
    /// <param name="mono">At most <see cref="Length"/> finite values; what is missing at the end is silence.</param>
    /// <param name="sample">uint8, [1, Mels, Frames]; the highest band first. All 0 where there is no power at all.</param>
    public void Compute(ReadOnlySpan<float> mono, Span<byte> sample)
    {
        var work = _idle.TryTake(out var idle) ? idle : new Workspace(_transformed, _frames * _mels);
        var mean = Silence.Mean(mono);
        var loudest = 0.0;
        for (var frame = 0; frame < _frames; frame++)
        {
            Spectrum(mono, mean, Rounded(((frame + 0.5) * _hop) - (_hann.Length / 2.0)), work);
            var bands = work.Bands.AsSpan(frame * _mels, _mels);
            _filters.Apply(work.Real, bands);
            foreach (var band in bands)
            {
                loudest = Math.Max(loudest, band);
            }
        }

        var least = loudest * Math.Pow(10, -RangeDb / 10);
        for (var mel = 0; mel < _mels; mel++)
        {
            var row = sample.Slice((_mels - 1 - mel) * _frames, _frames);
            for (var frame = 0; frame < row.Length; frame++)
            {
                var power = work.Bands[(frame * _mels) + mel];
                row[frame] = power > least ? (byte)((255 * (1 + (10 * Math.Log10(power / loudest) / RangeDb))) + 0.5) : (byte)0;
            }
        }

        _idle.Add(work);
    }

    private static int Rounded(double value) => (int)Math.Floor(value + 0.5);

    // Leaves the power spectrum in Real.
    private void Spectrum(ReadOnlySpan<float> mono, float mean, int start, Workspace work)
    {
        Array.Clear(work.Frame);
        var (from, to) = (Math.Max(0, -start), Math.Min(_hann.Length, mono.Length - start));
        if (from >= to)
        {
            Array.Clear(work.Real);
            return;
        }

        var values = mono[(start + from)..(start + to)];
        var hann = _hann.AsSpan(from, values.Length);
        var frame = work.Frame.AsSpan(from, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            frame[i] = (values[i] - mean) * hann[i];
        }

        work.Transform.Direct(work.Frame, work.Real, work.Imaginary);
        for (var i = 0; i < work.Real.Length; i++)
        {
            work.Real[i] = (work.Real[i] * work.Real[i]) + (work.Imaginary[i] * work.Imaginary[i]);
        }
    }

    // In double: NWaves makes its factors by recurrence, which in float costs a long transform all its precision.
    private sealed class Workspace(int length, int cells)
    {
        public RealFft64 Transform { get; } = new(length);

        public double[] Frame { get; } = new double[length];

        public double[] Real { get; } = new double[(length / 2) + 1];

        public double[] Imaginary { get; } = new double[(length / 2) + 1];

        public double[] Bands { get; } = new double[cells];
    }
}
