using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Benchmarks;

/// <summary>The learner that a silo has, with the same options, fed from memory. Its calls belong on one compute thread.</summary>
internal sealed class BareLearner : IDisposable
{
    private readonly Learner _learner;
    private readonly byte[][] _samples;
    private long _next;

    /// <summary>Makes one with the options that a silo gives to a dataset.</summary>
    /// <param name="data">What it learns, over and over.</param>
    public BareLearner(LabelledData data)
        : this(data, Decode(data, data.Train), LearnerSettings.Options(data.Settings))
    {
    }

    /// <summary>Makes one with options of its own.</summary>
    /// <param name="data">Says which shape samples have.</param>
    /// <param name="samples">What it learns, over and over.</param>
    /// <param name="options">How.</param>
    public BareLearner(LabelledData data, byte[][] samples, LearnerOptions options)
    {
        _learner = new Learner(LearnerSettings.Shape(data.Settings), options);
        _samples = samples;
    }

    /// <summary>How many steps it has taken.</summary>
    public long Steps => _learner.Steps;

    /// <summary>Samples as a silo decodes them: uint8, [C, H, W] each.</summary>
    /// <param name="data">Says which shape they have.</param>
    /// <param name="items">What to decode.</param>
    public static byte[][] Decode(LabelledData data, IEnumerable<SourceItem> items)
    {
        ISampleDecoder decoder = MediaSettings.Decoder(data.Settings);
        return [.. items.Select(i =>
        {
            var sample = new byte[decoder.SampleBytes];
            decoder.TryDecode(i.Upload.MediaType, i.Upload.Bytes, sample, out _);
            return sample;
        })];
    }

    /// <summary>Learns, with the ends of rounds.</summary>
    /// <param name="duration">For how long.</param>
    /// <returns>Samples a second.</returns>
    public double Run(TimeSpan duration)
    {
        Step();
        var clock = Stopwatch.StartNew();
        var sinceRefit = Stopwatch.StartNew();
        var before = _next;
        while (clock.Elapsed < duration)
        {
            Step();
            if (sinceRefit.Elapsed.TotalSeconds > new DatasetSettings().RoundSeconds)
            {
                // The learner's own part of a round's end; the rest is what the silo adds.
                _learner.Refit();
                sinceRefit.Restart();
            }
        }

        return (_next - before) / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Some steps, without the ends of rounds.</summary>
    /// <param name="count">How many.</param>
    public void Step(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Step();
        }
    }

    /// <summary>One step over fresh samples.</summary>
    public void Step()
    {
        var size = _learner.Options.FreshPerStep;
        var pixels = new byte[size * _learner.Shape.Size];
        var keys = new SampleKey[size];
        for (var i = 0; i < size; i++, _next++)
        {
            _samples[_next % _samples.Length].CopyTo(pixels, i * _learner.Shape.Size);
            keys[i] = new SampleKey(0, _next);
        }

        _learner.Observe(new SampleBatch(_learner.Shape, pixels, keys));
    }

    /// <summary>All that the end of a round asks of the learner: finds clusters, judges, and copies the state out.</summary>
    public void EndRound()
    {
        _learner.Refit();
        _learner.Judge(published: null);
        _learner.Snapshot();
        _learner.Export();
    }

    /// <summary>What it would publish.</summary>
    public Embedder Embedder()
    {
        _learner.Refit();
        return new Embedder(_learner.Export());
    }

    /// <summary>The part <c>model</c> of its state.</summary>
    public IReadOnlyList<NamedTensor> Model() => _learner.Snapshot()["model"];

    /// <inheritdoc/>
    public void Dispose() => _learner.Dispose();
}
