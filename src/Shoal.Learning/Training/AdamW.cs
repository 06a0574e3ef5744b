using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>AdamW whose whole state can be read and written, so that a restored learner goes on bit-exactly.</summary>
/// <remarks>Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, without a schedule.</remarks>
internal sealed class AdamW : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private readonly List<(string Name, Tensor Parameter, Tensor First, Tensor Second)> _slots = [];
    private readonly double _weightDecay;
    private long _steps;

    /// <summary>Takes charge of parameters.</summary>
    /// <param name="parameters">With unique names; those without gradient are left out.</param>
    /// <param name="weightDecay">Applied to tensors of two dimensions and more.</param>
    public AdamW(IEnumerable<(string Name, Tensor Parameter)> parameters, double weightDecay)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, parameter) in parameters.Where(p => p.Parameter.requires_grad))
        {
            _slots.Add((name, parameter, zeros_like(parameter).detach().DetachFromDisposeScope(), zeros_like(parameter).detach().DetachFromDisposeScope()));
        }

        _weightDecay = weightDecay;
    }

    /// <summary>Moves every parameter by its gradient and clears the gradients.</summary>
    /// <param name="rate">The step size.</param>
    public void Step(double rate)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _steps++;
        var (correction1, correction2) = (1 - Math.Pow(Beta1, _steps), 1 - Math.Pow(Beta2, _steps));
        foreach (var (_, parameter, first, second) in _slots)
        {
            var gradient = parameter.grad;
            if (gradient is null)
            {
                continue;
            }

            if (_weightDecay > 0 && parameter.dim() > 1)
            {
                parameter.mul_(1 - (rate * _weightDecay));
            }

            first.mul_(Beta1).add_(gradient, 1 - Beta1);
            second.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
            var scale = second.sqrt().div_(Math.Sqrt(correction2)).add_(Epsilon);
            parameter.addcdiv_(first, scale, -rate / correction1);
            gradient.zero_();
        }
    }

    /// <summary>Forgets the moments of one parameter, whose value was replaced.</summary>
    /// <param name="parameter">One of the parameters.</param>
    public void Forget(Tensor parameter)
    {
        using var noGrad = no_grad();
        foreach (var (_, owner, first, second) in _slots.Where(slot => ReferenceEquals(slot.Parameter, parameter)))
        {
            first.zero_();
            second.zero_();
        }
    }

    /// <summary>Moments and step count.</summary>
    public IReadOnlyList<NamedTensor> Save() =>
    [
        NamedTensor.Of<long>("steps", [_steps]),
        .. _slots.SelectMany(slot => new[] { slot.First.Save("first." + slot.Name), slot.Second.Save("second." + slot.Name) }),
    ];

    /// <summary>Reads back what <see cref="Save"/> gave.</summary>
    /// <param name="saved">Of an optimiser over the same parameters.</param>
    public void Load(IReadOnlyList<NamedTensor> saved)
    {
        _steps = saved.Named("steps").Values<long>()[0];
        foreach (var (name, _, first, second) in _slots)
        {
            first.Load(saved.Named("first." + name));
            second.Load(saved.Named("second." + name));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, first, second) in _slots)
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
