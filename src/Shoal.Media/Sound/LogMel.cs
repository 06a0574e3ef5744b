using System.Collections.Concurrent;
using System.Numerics;
using NWaves.Transforms;

namespace Shoal.Media.Sound;

/// <summary>
/// Turns a window of sound into a picture: time from left to right, from where something is heard to where nothing more is, mel bands from low
/// at the bottom to high at the top, brightness for loudness in decibels below the window's loudest place. Gain, a constant offset,
/// and silence before and after change nothing. Thread-safe.
/// </summary>
internal sealed class LogMel : ISoundForm
{
    // So far below the loudest place is black, and silence. What is quieter is mostly the room and the recorder: spoken digits of other speakers are
    // found among a digit's nearest spectrograms more rarely with 50 dB and more, and with 30 dB.
    private const double RangeDb = 40;

    // Where something is heard is asked of each of them.
    private const double BlockSeconds = 0.01;

    // A click is shown with what is around it, and what is shorter than that with silence behind it.
    private const double LeastSeconds = 0.1;

    private readonly int _mels;
    private readonly int _frames;
    private readonly int _shortest;
    private readonly int _block;
    private readonly int _least;
    private readonly int _transformed;
    private readonly MelFilters _filters;
    private readonly ConcurrentBag<Workspace> _idle = [];

    /// <summary>Makes the tables of one form.</summary>
    /// <param name="options">The canonical form.</param>
    public LogMel(SoundFormatOptions options)
    {
        (_mels, _frames, Length) = (options.Mels, options.Frames, options.WindowLength);
        (_shortest, _block, _least) = (Rounded(0.025 * options.SampleRate), Rounded(BlockSeconds * options.SampleRate), Rounded(LeastSeconds * options.SampleRate));
        _transformed = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(FrameLength(Length), MelFilters.ShortestFor(_mels, options.SampleRate)));
        _filters = new(_mels, options.SampleRate, _transformed);
    }

    /// <summary>Values of a window.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public int SampleBytes => _mels * _frames;

    /// <inheritdoc/>
    public string Shape => $"1 x {_mels} x {_frames}";

    /// <summary>Computes a sample.</summary>
    /// <param name="mono">At most <see cref="Length"/> finite values.</param>
    /// <param name="sample">uint8, [1, Mels, Frames]; the highest band first. All 0 where there is no power at all.</param>
    public void Compute(ReadOnlySpan<float> mono, Span<byte> sample)
    {
        var work = _idle.TryTake(out var idle) ? idle : new Workspace(_transformed, _frames * _mels, (Length + _block) / _block);
        mono = Audible(mono, Silence.Mean(mono), work);
        var mean = Silence.Mean(mono);
        var shown = Math.Max(mono.Length, _least);
        var hann = work.Hann(FrameLength(shown));
        var loudest = 0.0;
        for (var frame = 0; frame < _frames; frame++)
        {
            Spectrum(mono, mean, Rounded(((frame + 0.5) * shown / _frames) - (hann.Length / 2.0)), hann, work);
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

    // Two hops, so that every value counts in two frames; 25 ms at least, or the pitch of low voices would not be resolved.
    private int FrameLength(int values) => Math.Max(_shortest, Rounded(2.0 * values / _frames));

    // From the first to the last block that is no more quiet than the range shows, and as long as a click needs.
    private ReadOnlySpan<float> Audible(ReadOnlySpan<float> mono, float mean, Workspace work)
    {
        var powers = work.Blocks.AsSpan(0, (mono.Length + _block - 1) / _block);
        var loudest = 0.0;
        for (var i = 0; i < powers.Length; i++)
        {
            var block = mono[(i * _block)..Math.Min((i + 1) * _block, mono.Length)];
            var sum = 0.0;
            foreach (var value in block)
            {
                sum += (double)(value - mean) * (value - mean);
            }

            powers[i] = sum / block.Length;
            loudest = Math.Max(loudest, powers[i]);
        }

        var least = loudest * Math.Pow(10, -RangeDb / 10);
        var first = Math.Max(0, powers.IndexOfAnyInRange(least, loudest)) * _block;
        var end = Math.Min(mono.Length, Math.Max((powers.LastIndexOfAnyInRange(least, loudest) + 1) * _block, first + _least));
        return mono[Math.Clamp(end - _least, 0, first)..end];
    }

    // Leaves the power spectrum in Real.
    private static void Spectrum(ReadOnlySpan<float> mono, float mean, int start, ReadOnlySpan<double> hann, Workspace work)
    {
        Array.Clear(work.Frame);
        var (from, to) = (Math.Max(0, -start), Math.Min(hann.Length, mono.Length - start));
        if (from >= to)
        {
            Array.Clear(work.Real);
            return;
        }

        var values = mono[(start + from)..(start + to)];
        var weights = hann.Slice(from, values.Length);
        var frame = work.Frame.AsSpan(from, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            frame[i] = (values[i] - mean) * weights[i];
        }

        work.Transform.Direct(work.Frame, work.Real, work.Imaginary);
        for (var i = 0; i < work.Real.Length; i++)
        {
            work.Real[i] = (work.Real[i] * work.Real[i]) + (work.Imaginary[i] * work.Imaginary[i]);
        }
    }

    // In double: NWaves makes its factors by recurrence, which in float costs a long transform all its precision.
    private sealed class Workspace(int length, int cells, int blocks)
    {
        private readonly double[] _hann = new double[length];
        private int _weights;

        public RealFft64 Transform { get; } = new(length);

        public double[] Frame { get; } = new double[length];

        public double[] Real { get; } = new double[(length / 2) + 1];

        public double[] Imaginary { get; } = new double[(length / 2) + 1];

        public double[] Bands { get; } = new double[cells];

        public double[] Blocks { get; } = new double[blocks];

        // Most windows of a stream are heard from beginning to end, and have the weights of the last one.
        public ReadOnlySpan<double> Hann(int values)
        {
            for (var i = 0; i < values && values != _weights; i++)
            {
                _hann[i] = 0.5 - (0.5 * Math.Cos(2 * Math.PI * i / values));
            }

            _weights = values;
            return _hann.AsSpan(0, values);
        }
    }
}
