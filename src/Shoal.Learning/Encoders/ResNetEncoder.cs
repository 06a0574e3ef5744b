using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>ResNet-18 with the stem for small images: 11 million parameters, 80 times the arithmetic of <see cref="StridedEncoder"/>.</summary>
/// <remarks>
/// He et al. 2016, "Deep Residual Learning for Image Recognition", table 1 and section 4.2: four stages of two basic blocks with 64, 128, 256 and 512 channels, each stage
/// but the first halving the sides, then the mean over all places. The stem is one 3x3 convolution without stride and without pooling, as for CIFAR-10 there; a
/// shortcut that changes shape is a 1x1 convolution (option B). Samples above 64 pixels a side begin with the 7x7 convolution of stride 2 and the 3x3 pooling of table 1.
/// </remarks>
[Encoder("resnet18")]
public sealed class ResNetEncoder : Encoder
{
    private const int FeatureWidth = 512;
    private const int LargestSmall = 64;

    private static readonly long[] Channels = [64, 128, 256, 512];

    private readonly nn.Module<Tensor, Tensor> _layers;

    /// <summary>Derives the stem from the shape.</summary>
    /// <param name="shape">Height and width from 8 to 256.</param>
    public ResNetEncoder(SampleShape shape)
        : base("resnet18")
    {
        ArgumentNullException.ThrowIfNull(shape);
        var layers = new List<nn.Module<Tensor, Tensor>>();
        if (Math.Max(shape.Height, shape.Width) > LargestSmall)
        {
            layers.Add(NormedLayer.Conv2d(shape.Channels, Channels[0], 7, 2, 2));
            layers.Add(nn.MaxPool2d(3, stride: 2, padding: 1));
        }
        else
        {
            layers.Add(NormedLayer.Conv2d(shape.Channels, Channels[0], 3, 1, 1));
        }

        var inputs = Channels[0];
        foreach (var outputs in Channels)
        {
            layers.Add(new BasicBlock(inputs, outputs, inputs == outputs ? 1 : 2));
            layers.Add(new BasicBlock(outputs, outputs, 1));
            inputs = outputs;
        }

        _layers = nn.Sequential(layers);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Width => FeatureWidth;

    /// <summary>Computes features.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <returns>[N, 512], float32, not normalised.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _layers.forward(input.to_type(ComputeType)).mean([2, 3]).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _layers.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Two 3x3 convolutions, and the input added before the last ReLU.</summary>
    private sealed class BasicBlock : nn.Module<Tensor, Tensor>
    {
        private readonly NormedLayer _first;
        private readonly NormedLayer _second;
        private readonly NormedLayer? _shortcut;

        public BasicBlock(long inputs, long outputs, long stride)
            : base("block")
        {
            _first = NormedLayer.Conv2d(inputs, outputs, 3, stride, stride);
            _second = NormedLayer.Conv2d(outputs, outputs, 3, 1, 1, rectifies: false);
            _shortcut = stride == 1 ? null : NormedLayer.Conv2d(inputs, outputs, 1, stride, stride, rectifies: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var added = _second.forward(_first.forward(input)) + (_shortcut is null ? input : _shortcut.forward(input));
            return added.relu_().MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _first.Dispose();
                _second.Dispose();
                _shortcut?.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
