using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Shoal.Learning;

/// <summary>A convolution or linear layer without bias, BatchNorm, and ReLU where it is not left out; computes in the type of its input.</summary>
/// <remarks>
/// The float32 weight is cast for each pass, and gets a float32 gradient. <see cref="nn.Module.eval"/> folds the norm into
/// the layer, so that no pass over the activations is spent on it.
/// </remarks>
public sealed class NormedLayer : Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly NormBase _norm;
    private readonly bool _rectifies;
    private readonly Func<Tensor, Tensor, Tensor?, Tensor> _apply;

    // Of eval mode: made from the weights as they are when it begins; null while training.
    private (Tensor Weight, Tensor Bias)? _folded;

    private NormedLayer(string name, long[] shape, NormBase norm, Func<Tensor, Tensor, Tensor?, Tensor> apply, bool rectifies = true)
        : base(name)
    {
        // He et al. 2015, as libtorch initialises its own layers: uniform within 1 / sqrt(inputs of an output).
        // Detached: whoever builds a network inside a scope means to keep it.
        _weight = new Parameter(init.kaiming_uniform_(empty(shape), Math.Sqrt(5)));
        _weight.DetachFromDisposeScope();
        (_norm, _apply, _rectifies) = (norm, apply, rectifies);
        register_parameter("weight", _weight);
        register_module("norm", norm);
    }

    /// <summary>A convolution, padded by half a kernel.</summary>
    public static NormedLayer Conv2d(long inputs, long outputs, int kernel, long down, long across, bool rectifies = true) => new(
        "conv", [outputs, inputs, kernel, kernel], BatchNorm2d(outputs),
        (input, weight, bias) => functional.conv2d(input, weight, bias, strides: [down, across], padding: [kernel / 2, kernel / 2]), rectifies);

    /// <summary>A linear layer whose output is float32: what follows is small, or must be exact.</summary>
    public static NormedLayer Linear(long inputs, long outputs) => new(
        "linear", [outputs, inputs], BatchNorm1d(outputs),
        (input, weight, bias) => functional.linear(input, weight, bias).to_type(ScalarType.Float32));

    /// <summary>Computes the layer's output.</summary>
    /// <param name="input">[N, C, H, W], or [N, C] for a linear layer; float32 or bfloat16.</param>
    /// <returns>[N, outputs, H / down, W / across], of the input's type, or [N, outputs], float32.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = _folded is var (weight, bias)
            ? _apply(input, weight.to_type(input.dtype), bias.to_type(input.dtype))
            : _norm.forward(_apply(input, _weight.to_type(input.dtype), null));
        return (_rectifies ? output.relu_() : output).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void train(bool train = true)
    {
        base.train(train);
        Unfold();
        if (!train)
        {
            _folded = Fold();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Unfold();
            _weight.Dispose();
            _norm.Dispose();
        }

        base.Dispose(disposing);
    }

    // norm(w * x) = (gamma / s) w * x + (beta - mean gamma / s), with s = sqrt(var + eps): Ioffe and Szegedy 2015, section 3.1.
    private (Tensor Weight, Tensor Bias) Fold()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var scale = _norm.weight! / (_norm.running_var! + _norm.eps).sqrt();
        var perOutput = scale.view([-1, .. Enumerable.Repeat(1L, (int)_weight.dim() - 1)]);
        return ((_weight * perOutput).DetachFromDisposeScope(), (_norm.bias! - (_norm.running_mean! * scale)).DetachFromDisposeScope());
    }

    private void Unfold()
    {
        if (_folded is var (weight, bias))
        {
            weight.Dispose();
            bias.Dispose();
            _folded = null;
        }
    }
}
