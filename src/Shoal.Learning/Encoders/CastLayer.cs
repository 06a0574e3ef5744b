using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Shoal.Learning;

/// <summary>A layer without bias that computes in the type of its input: its float32 weight is cast for each pass, and gets a float32 gradient.</summary>
internal sealed class CastLayer : Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Func<Tensor, Tensor, Tensor> _apply;

    private CastLayer(string name, long[] shape, Func<Tensor, Tensor, Tensor> apply)
        : base(name)
    {
        // He et al. 2015, as libtorch initialises its own layers: uniform within 1 / sqrt(inputs of an output).
        // Detached: whoever builds a network inside a scope means to keep it.
        _weight = new Parameter(init.kaiming_uniform_(empty(shape), Math.Sqrt(5)));
        _weight.DetachFromDisposeScope();
        _apply = apply;
        register_parameter("weight", _weight);
    }

    /// <summary>A convolution, padded by half a kernel.</summary>
    public static CastLayer Conv2d(long inputs, long outputs, int kernel, long down, long across)
        => new("conv", [outputs, inputs, kernel, kernel], (input, weight) => functional.conv2d(input, weight, strides: [down, across], padding: [kernel / 2, kernel / 2]));

    /// <summary>A linear layer.</summary>
    public static CastLayer Linear(long inputs, long outputs)
        => new("linear", [outputs, inputs], (input, weight) => functional.linear(input, weight));

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _apply(input, _weight.to_type(input.dtype)).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _weight.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Back to float32: what follows is small, or must be exact.</summary>
internal sealed class Widen() : Module<Tensor, Tensor>("widen")
{
    public override Tensor forward(Tensor input) => input.to_type(ScalarType.Float32);
}
