using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>The networks that an objective learns itself, under the names that they have in checkpoints.</summary>
internal sealed class OwnNetworks(string objective) : nn.Module(objective)
{
    private readonly List<(nn.Module Twin, nn.Module Original)> _twins = [];
    private readonly Dictionary<string, double> _momentums = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _seen = new(StringComparer.Ordinal);

    /// <summary>A network that is learned.</summary>
    /// <param name="name">Unique within the objective.</param>
    /// <param name="network">From rows to rows.</param>
    public nn.Module<Tensor, Tensor> Learned(string name, nn.Module<Tensor, Tensor> network)
    {
        register_module(name, network);
        return network;
    }

    /// <summary>A network that is never learned but follows one that is: an exponential mean of its weights.</summary>
    /// <param name="name">Unique within the objective.</param>
    /// <param name="twin">Of the same architecture.</param>
    /// <param name="original">What it follows.</param>
    public nn.Module<Tensor, Tensor> Following(string name, nn.Module<Tensor, Tensor> twin, nn.Module original)
    {
        register_module(name, twin);
        Momentum.Follow(twin, original, 0);
        Momentum.Freeze(twin);
        _twins.Add((twin, original));
        return twin;
    }

    /// <summary>Weights without a network around them.</summary>
    /// <param name="name">Unique within the objective.</param>
    /// <param name="weights">Their first values; taken over.</param>
    public Parameter Learned(string name, Tensor weights)
    {
        var parameter = new Parameter(weights);
        parameter.DetachFromDisposeScope();
        register_parameter(name, parameter);
        return parameter;
    }

    /// <summary>Numbers that belong to the checkpoint and are a mean over steps of what <see cref="See"/> is told. Ask <see cref="nn.Module.get_buffer"/> for them: another device has others.</summary>
    /// <param name="name">Unique within the objective.</param>
    /// <param name="values">Their first values; taken over.</param>
    /// <param name="momentum">How much of them stays at every step that is seen, 0 to 1.</param>
    public void Averaged(string name, Tensor values, double momentum)
    {
        register_buffer(name, values.DetachFromDisposeScope());
        _momentums[name] = momentum;
    }

    /// <summary>Says what a step comes to; it is joined to the mean once the step is taken.</summary>
    /// <param name="name">As <see cref="Averaged"/> was told.</param>
    /// <param name="values">Of the shape of the mean.</param>
    public void See(string name, Tensor values)
    {
        _seen.GetValueOrDefault(name)?.Dispose();
        _seen[name] = values.detach().DetachFromDisposeScope();
    }

    /// <summary>The step is taken: moves every twin after its original, and joins what was seen.</summary>
    /// <param name="momentum">How much of a twin stays, 0 to 1.</param>
    public void AfterStep(double momentum)
    {
        foreach (var (twin, original) in _twins)
        {
            Momentum.Follow(twin, original, momentum);
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, values) in _seen)
        {
            get_buffer(name)!.mul_(_momentums[name]).add_(values, 1 - _momentums[name]);
            values.Dispose();
        }

        _seen.Clear();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var values in _seen.Values)
            {
                values.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}

/// <summary>Makes small networks of linear layers.</summary>
internal static class Mlp
{
    /// <summary>Linear layers with BatchNorm and ReLU between them, as most projectors and predictors have.</summary>
    /// <param name="widths">Of the input, of each hidden layer, of the output.</param>
    /// <param name="last">What follows the last linear layer.</param>
    /// <returns>From [N, first width] to [N, last width].</returns>
    /// <remarks>
    /// A norm is always that of its batch: objectives are never asked outside of training, so running means would be kept for
    /// nobody. A linear layer has no bias where a norm takes it away again.
    /// </remarks>
    public static nn.Module<Tensor, Tensor> Normed(ReadOnlySpan<long> widths, LastLayer last = LastLayer.Biased)
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        for (var i = 1; i < widths.Length; i++)
        {
            var hidden = i < widths.Length - 1;
            layers.Add(nn.Linear(widths[i - 1], widths[i], hasBias: !hidden && last == LastLayer.Biased));
            if (hidden || last is LastLayer.Normed or LastLayer.Standardised)
            {
                layers.Add(nn.BatchNorm1d(widths[i], affine: hidden || last == LastLayer.Normed, track_running_stats: false));
            }

            if (hidden)
            {
                layers.Add(nn.ReLU(inplace: true));
            }
        }

        return nn.Sequential(layers);
    }

    /// <summary>Two linear layers with ReLU between them.</summary>
    /// <param name="inputs">Width of the input and of the hidden layer.</param>
    /// <param name="outputs">Width of the output.</param>
    public static nn.Module<Tensor, Tensor> Plain(long inputs, long outputs)
        => nn.Sequential(nn.Linear(inputs, inputs), nn.ReLU(inplace: true), nn.Linear(inputs, outputs));
}

/// <summary>What the last linear layer of a network has.</summary>
internal enum LastLayer
{
    /// <summary>A bias.</summary>
    Biased,

    /// <summary>No bias: what is computed of its output does not depend on it.</summary>
    Bare,

    /// <summary>A BatchNorm with learned scale and shift.</summary>
    Normed,

    /// <summary>A BatchNorm without.</summary>
    Standardised,
}
