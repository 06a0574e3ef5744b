using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>From features back to pictures: a linear layer to 4x4 places, then twice as many along each side again and again.</summary>
/// <remarks>
/// Each doubling repeats pixels and convolves, which leaves no checkerboard (Odena et al. 2016), with BatchNorm over the batch and ReLU; the last convolution has neither.
/// What is more than wanted is cut off. It is meant to be weak: what it cannot know from the features it must not make up.
/// </remarks>
internal sealed class Decoder : nn.Module<Tensor, Tensor>
{
    private const int FirstSide = 4;
    private const int FirstChannels = 64;
    private const int LeastChannels = 16;

    private readonly int _height;
    private readonly int _width;
    private readonly nn.Module<Tensor, Tensor> _features;
    private readonly nn.Module<Tensor, Tensor> _layers;

    /// <summary>Derives the depth from the picture.</summary>
    /// <param name="featureWidth">D.</param>
    /// <param name="channels">Of the picture.</param>
    /// <param name="height">Of the picture, 1 and more.</param>
    /// <param name="width">Of the picture, 1 and more.</param>
    public Decoder(int featureWidth, int channels, int height, int width)
        : base("decoder")
    {
        (_height, _width) = (height, width);
        _features = nn.Linear(featureWidth, FirstChannels * FirstSide * FirstSide);
        var layers = new List<nn.Module<Tensor, Tensor>> { nn.ReLU() };
        var made = FirstChannels;
        for (var side = FirstSide; side < Math.Max(height, width); side *= 2)
        {
            var next = Math.Max(LeastChannels, made / 2);
            layers.Add(nn.Upsample(scale_factor: [2, 2], mode: UpsampleMode.Nearest));
            layers.Add(nn.Conv2d(made, next, 3, padding: 1, bias: false));
            layers.Add(nn.BatchNorm2d(next, track_running_stats: false));
            layers.Add(nn.ReLU());
            made = next;
        }

        layers.Add(nn.Conv2d(made, channels, 3, padding: 1));
        _layers = nn.Sequential(layers);
        RegisterComponents();
    }

    /// <summary>Makes pictures.</summary>
    /// <param name="input">Features, [M, D].</param>
    /// <returns>[M, channels, height, width], float32.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var places = _features.forward(input).view(-1, FirstChannels, FirstSide, FirstSide);
        return _layers.forward(places).narrow(2, 0, _height).narrow(3, 0, _width).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _features.Dispose();
            _layers.Dispose();
        }

        base.Dispose(disposing);
    }
}
