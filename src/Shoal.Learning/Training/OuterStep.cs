using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Shoal.Learning;

/// <summary>Moves a model from where a round began towards what its replicas came to, with Nesterov momentum over rounds. Needs no libtorch, so it may run anywhere.</summary>
/// <remarks>
/// Douillard et al. 2023, "DiLoCo: Distributed Low-Communication Training of Language Models", algorithm 1: the outer gradient of a round is Δ = θ - mean θᵢ, and an outer
/// optimizer takes a step by it; their best is SGD with Nesterov momentum: v ← μv + Δ, θ ← θ - r(Δ + μv). What is learned by gradients moves so, and all that objectives keep; the key encoder, which
/// follows, and statistics of batches are the mean itself.
/// </remarks>
public static class OuterStep
{
    /// <summary>r, the outer step size.</summary>
    /// <value>0.7, the paper's (section 3.1).</value>
    public const double Rate = 0.7;

    private static readonly string[] Learned = ["encoder.", "head.", "objective."];
    private static readonly string[] Statistics = ["running_mean", "running_var", "num_batches_tracked"];

    /// <summary>Takes one step.</summary>
    /// <param name="before">The model that the round began with.</param>
    /// <param name="mean">The mean of what its replicas came to: the same tensors.</param>
    /// <param name="velocity">v, as the step before gave it; empty before the first.</param>
    /// <param name="momentum">μ, 0 to below 1.</param>
    /// <returns>The model to go on from, and v.</returns>
    /// <exception cref="ArgumentException">The models differ in their tensors.</exception>
    public static (IReadOnlyList<NamedTensor> Model, IReadOnlyList<NamedTensor> Velocity) Take(
        IReadOnlyList<NamedTensor> before, IReadOnlyList<NamedTensor> mean, IReadOnlyList<NamedTensor> velocity, double momentum)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(velocity);
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
        var earlier = before.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var speeds = velocity.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        List<NamedTensor> model = [], next = [];
        foreach (NamedTensor target in mean)
        {
            if (!Moves(target))
            {
                model.Add(target);
                continue;
            }

            if (!earlier.TryGetValue(target.Name, out NamedTensor? from) || from.Data.Length != target.Data.Length)
            {
                throw new ArgumentException($"Tensor '{target.Name}' is not in the model before, or has another shape there.", nameof(before));
            }

            var speed = new float[target.Data.Length / sizeof(float)];
            if (speeds.TryGetValue(target.Name, out NamedTensor? known) && known.Data.Length == target.Data.Length)
            {
                MemoryMarshal.Cast<byte, float>(known.Data).CopyTo(speed);
            }

            var moved = new byte[target.Data.Length];
            Step(MemoryMarshal.Cast<byte, float>(from.Data), MemoryMarshal.Cast<byte, float>(target.Data), speed, MemoryMarshal.Cast<byte, float>(moved.AsSpan()), (float)momentum);
            model.Add(target with { Data = moved });
            next.Add(target with { Data = MemoryMarshal.AsBytes(speed.AsSpan()).ToArray() });
        }

        return (model, next);
    }

    private static bool Moves(NamedTensor tensor) =>
        string.Equals(tensor.DType, "F32", StringComparison.Ordinal)
        && Learned.Any(prefix => tensor.Name.StartsWith(prefix, StringComparison.Ordinal))
        && !Statistics.Any(suffix => tensor.Name.EndsWith(suffix, StringComparison.Ordinal));

    private static void Step(ReadOnlySpan<float> before, ReadOnlySpan<float> mean, Span<float> speed, Span<float> moved, float momentum)
    {
        var gradient = new float[before.Length];
        TensorPrimitives.Subtract(before, mean, gradient);
        TensorPrimitives.MultiplyAdd(speed, momentum, gradient, speed);
        TensorPrimitives.MultiplyAdd(speed, momentum, gradient, gradient);
        TensorPrimitives.MultiplyAdd(gradient, -(float)Rate, before, moved);
    }
}
