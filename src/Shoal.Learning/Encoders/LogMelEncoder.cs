using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>A small ConvNet for spectrograms: what is pooled is time alone, so that it is known of every frame which bands it has.</summary>
/// <remarks>
/// Niizumi et al. 2021, "BYOL for Audio", section III-D: three convolutions, each of which halves both axes; of every frame that is left two linear layers over channels and bands; then the mean and the
/// maximum over time, added. Strides in place of pooling, as in <see cref="StridedEncoder"/>, 32 to 64 channels and 256 features in place of 64 and 2,048, no dropout. Time is halved no
/// further than to eight frames: means and maxima of fewer say little.
/// </remarks>
[Encoder("logmel")]
public sealed class LogMelEncoder : Encoder
{
    private const int FeatureWidth = 256;
    private const int LeastFrames = 8;

    private static readonly long[] Channels = [32, 64, 64];

    private readonly nn.Module<Tensor, Tensor> _layers;
    private readonly nn.Module<Tensor, Tensor> _frames;

    /// <summary>Derives the strides from the shape.</summary>
    /// <param name="shape">Height and width from 8 to 256.</param>
    public LogMelEncoder(SampleShape shape)
        : base("logmel")
    {
        ArgumentNullException.ThrowIfNull(shape);
        var layers = new List<nn.Module<Tensor, Tensor>>();
        var (inputs, bands, frames) = ((long)shape.Channels, shape.Height, shape.Width);
        foreach (var outputs in Channels)
        {
            var across = frames > LeastFrames ? 2 : 1;
            layers.Add(NormedLayer.Conv2d(inputs, outputs, layers.Count == 0 ? 5 : 3, 2, across));
            (inputs, bands, frames) = (outputs, Shrink(bands, 2), Shrink(frames, across));
        }

        _layers = nn.Sequential(layers);
        _frames = nn.Sequential(NormedLayer.Linear(inputs * bands, FeatureWidth), NormedLayer.Linear(FeatureWidth, FeatureWidth));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Width => FeatureWidth;

    /// <summary>Computes features.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <returns>[N, 256], float32, not normalised.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();

        // [N, channels, bands, frames] -> a row for each frame.
        var maps = _layers.forward(input.to_type(ComputeType));
        var rows = _frames.forward(maps.permute(0, 3, 1, 2).reshape(maps.shape[0] * maps.shape[3], -1)).view(maps.shape[0], maps.shape[3], FeatureWidth);
        return (rows.mean([1]) + rows.amax([1])).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _layers.Dispose();
            _frames.Dispose();
        }

        base.Dispose(disposing);
    }

    private static int Shrink(int side, int stride) => (side + stride - 1) / stride;
}
