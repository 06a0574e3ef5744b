namespace Shoal.Learning;

/// <summary>Mean and deviation of each channel, by which samples are normalised: over the stream so far, or known before.</summary>
internal sealed class InputStatistics
{
    // Past this many samples old ones fade: a stream's light may change for good.
    private const long Memory = 100_000;

    // A constant channel must not be divided by 0; 1/255 is one grey level.
    private const double LeastDeviation = 1.0 / 255;

    private readonly SampleShape _shape;
    private readonly double[] _mean;
    private readonly double[] _square;
    private readonly bool _known;
    private long _samples;

    /// <summary>Before the first sample.</summary>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="known">What they are whatever comes; null to learn them.</param>
    public InputStatistics(SampleShape shape, (double Mean, double Deviation)? known = null)
    {
        (_shape, _known, _mean, _square) = (shape, known is not null, new double[shape.Channels], new double[shape.Channels]);
        if (known is var (mean, deviation))
        {
            Array.Fill(_mean, mean);
            Array.Fill(_square, (mean * mean) + (deviation * deviation));
        }
    }

    /// <summary>Mean of each channel, 0 to 1, [C].</summary>
    public float[] Mean => Array.ConvertAll(_mean, mean => (float)mean);

    /// <summary>Standard deviation of each channel, [C].</summary>
    public float[] Deviation =>
        [.. _mean.Zip(_square, (mean, square) => (float)Math.Max(Math.Sqrt(Math.Max(square - (mean * mean), 0)), LeastDeviation))];

    public void Add(SampleBatch batch)
    {
        if (_known)
        {
            return;
        }

        var plane = _shape.Height * _shape.Width;
        _samples = Math.Min(_samples + batch.Count, Memory);
        var share = (double)batch.Count / _samples;
        for (var channel = 0; channel < _shape.Channels; channel++)
        {
            var (sum, squares) = (0L, 0L);
            for (var i = 0; i < batch.Count; i++)
            {
                foreach (var pixel in batch[i].Slice(channel * plane, plane))
                {
                    sum += pixel;
                    squares += pixel * pixel;
                }
            }

            var pixels = (double)batch.Count * plane;
            _mean[channel] += share * ((sum / pixels / 255) - _mean[channel]);
            _square[channel] += share * ((squares / pixels / (255 * 255)) - _square[channel]);
        }
    }

    public NamedTensor Save() => NamedTensor.Of<double>("input", [_samples, .. _mean, .. _square]);

    public void Load(NamedTensor saved)
    {
        var values = saved.Values<double>();
        _samples = (long)values[0];
        values.AsSpan(1, _mean.Length).CopyTo(_mean);
        values.AsSpan(1 + _mean.Length).CopyTo(_square);
    }
}
