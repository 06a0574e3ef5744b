using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Shoal.Learning;

/// <summary>A stack of strided convolutions over a waveform: a latent every 160 values, each of 465; the feature is their mean and their maximum over time, added.</summary>
/// <remarks>
/// Schneider et al. 2019, "wav2vec: Unsupervised Pre-training for Speech Recognition", section 3.2 (kernels 10, 8, 4, 4, 4 and strides 5, 4, 2, 2, 2, each with a norm over all channels and times of a sample and ReLU); 32
/// to 256 channels in place of 512, which two cores compute sixteen times as fast. Mean and maximum as Niizumi et al. 2021, "BYOL for Audio", section III-D; then BatchNorm without scale and
/// shift, since all that maxima have in common would hide behind it what tells them apart. Companding is undone first: filters are sums of pressure.
/// </remarks>
[Encoder(EncoderCatalogue.Waveform, LeastSide = 1_600, MostSide = 32_000, IsForWaveforms = true)]
public sealed class WaveformEncoder : Encoder, ILatentEncoder
{
    private const int FeatureWidth = 256;

    private static readonly (long Outputs, int Kernel, int Stride)[] Stack = [(32, 10, 5), (64, 8, 4), (96, 4, 2), (128, 4, 2), (FeatureWidth, 4, 2)];

    private readonly Module<Tensor, Tensor> _layers;
    private readonly Module<Tensor, Tensor> _norm;

    /// <summary>The same for waveforms of any length.</summary>
    /// <param name="shape">1,600 to 32,000 values.</param>
    public WaveformEncoder(SampleShape shape)
        : base(EncoderCatalogue.Waveform)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var layers = new List<Module<Tensor, Tensor>>();
        var inputs = 1L;
        foreach (var (outputs, kernel, stride) in Stack)
        {
            layers.Add(new Layer(inputs, outputs, kernel, stride));
            inputs = outputs;
        }

        _layers = Sequential(layers);
        _norm = BatchNorm1d(FeatureWidth, affine: false);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Width => FeatureWidth;

    /// <summary>Computes features.</summary>
    /// <param name="input">Normalised samples, [N, 1, 1, T], float32.</param>
    /// <returns>[N, 256], float32, not normalised.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var latents = Convolve(input);
        return _norm.forward(latents.mean([2]) + latents.amax([2])).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor EncodeLatents(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Convolve(input).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _layers.Dispose();
            _norm.Dispose();
        }

        base.Dispose(disposing);
    }

    // [N, 1, 1, T] -> [N, 256, latents], float32.
    private Tensor Convolve(Tensor input) => _layers.forward(MuLaw.Expanded(input.flatten(2)).to_type(ComputeType)).to_type(ScalarType.Float32);

    /// <summary>A convolution without padding and bias, a norm over all that it makes of a sample, and ReLU; computes in the type of its input.</summary>
    private sealed class Layer : Module<Tensor, Tensor>
    {
        private readonly int _stride;
        private readonly Parameter _weight;
        private readonly Parameter _scale;
        private readonly Parameter _shift;

        public Layer(long inputs, long outputs, int kernel, int stride)
            : base("layer")
        {
            _stride = stride;
            _weight = Kept(init.kaiming_uniform_(empty(outputs, inputs, kernel), Math.Sqrt(5)));
            (_scale, _shift) = (Kept(ones(outputs)), Kept(zeros(outputs)));
            register_parameter("weight", _weight);
            register_parameter("scale", _scale);
            register_parameter("shift", _shift);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var made = functional.conv1d(input, _weight.to_type(input.dtype), stride: _stride);
            return functional.group_norm(made, 1, _scale.to_type(input.dtype), _shift.to_type(input.dtype)).relu_().MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _weight.Dispose();
                _scale.Dispose();
                _shift.Dispose();
            }

            base.Dispose(disposing);
        }

        // Whoever builds a network inside a scope means to keep it.
        private static Parameter Kept(Tensor values)
        {
            var parameter = new Parameter(values);
            parameter.DetachFromDisposeScope();
            return parameter;
        }
    }
}
