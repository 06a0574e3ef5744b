using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Shoal.Learning;

/// <summary>Merges models that several replicas trained from one beginning. Needs no libtorch, so it may run anywhere.</summary>
/// <remarks>McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data", algorithm 1: the mean, weighted by samples.</remarks>
public static class ModelAverage
{
    /// <summary>Averages tensors of one name; of whole numbers, which count, the largest stays.</summary>
    /// <param name="replicas">The same tensors of each replica, and its weight; weights above 0 in all.</param>
    /// <exception cref="ArgumentException">There are none, no weight is above 0, or tensors differ in name, type or shape.</exception>
    public static IReadOnlyList<NamedTensor> Of(IReadOnlyList<(IReadOnlyList<NamedTensor> Tensors, double Weight)> replicas)
    {
        ArgumentNullException.ThrowIfNull(replicas);
        var total = replicas.Sum(replica => replica.Weight);
        if (!(total > 0))
        {
            throw new ArgumentException("There is nothing to average: no replica has a weight above 0.", nameof(replicas));
        }

        (Dictionary<string, NamedTensor> Tensors, double Share)[] parts = [.. replicas.Select(replica => (ByName(replica.Tensors), replica.Weight / total))];
        return [.. replicas[0].Tensors.Select(first => Average(first, [.. parts.Select(part => (Same(first, part.Tensors), part.Share))]))];
    }

    /// <summary>What a replica goes on from that has trained on since it handed its model over: the merged model, and its own movement since.</summary>
    /// <param name="merged">What replicas came to.</param>
    /// <param name="handedOver">The replica's model as it was merged.</param>
    /// <param name="now">Its model now: the same tensors.</param>
    /// <param name="moves">Which tensors keep their movement, by name; of the others the merged ones are taken.</param>
    /// <exception cref="ArgumentException">Tensors differ in name, type or shape.</exception>
    public static IReadOnlyList<NamedTensor> GoingOn(
        IReadOnlyList<NamedTensor> merged, IReadOnlyList<NamedTensor> handedOver, IReadOnlyList<NamedTensor> now, Func<string, bool> moves)
    {
        ArgumentNullException.ThrowIfNull(merged);
        ArgumentNullException.ThrowIfNull(handedOver);
        ArgumentNullException.ThrowIfNull(now);
        ArgumentNullException.ThrowIfNull(moves);
        (Dictionary<string, NamedTensor> before, Dictionary<string, NamedTensor> after) = (ByName(handedOver), ByName(now));
        return [.. merged.Select(tensor => string.Equals(tensor.DType, "F32", StringComparison.Ordinal) && moves(tensor.Name)
            ? Moved(tensor, Same(tensor, before), Same(tensor, after))
            : tensor)];
    }

    private static NamedTensor Moved(NamedTensor merged, NamedTensor handedOver, NamedTensor now)
    {
        var moved = now.Data.ToArray();
        Span<float> target = MemoryMarshal.Cast<byte, float>(moved.AsSpan());
        TensorPrimitives.Subtract(target, MemoryMarshal.Cast<byte, float>(handedOver.Data), target);
        TensorPrimitives.Add(target, MemoryMarshal.Cast<byte, float>(merged.Data), target);
        return merged with { Data = moved };
    }

    // Files have an order of their own: what was read from one is not in the order in which a model lists it.
    private static Dictionary<string, NamedTensor> ByName(IReadOnlyList<NamedTensor> tensors) => tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);

    private static NamedTensor Same(NamedTensor first, Dictionary<string, NamedTensor> tensors) =>
        tensors.GetValueOrDefault(first.Name) is { } same && string.Equals(same.DType, first.DType, StringComparison.Ordinal) && same.Shape.SequenceEqual(first.Shape)
            ? same
            : throw new ArgumentException($"The replicas' tensors '{first.Name}' differ in type or shape, or one lacks it; merge models of one encoder and one set of objectives.", nameof(tensors));

    private static NamedTensor Average(NamedTensor first, (NamedTensor Tensor, double Share)[] parts) => first.DType switch
    {
        "F32" => first with { Data = Mean<float>(parts) },
        "F64" => first with { Data = Mean<double>(parts) },
        "I64" => first with { Data = Largest<long>(parts) },
        "I32" => first with { Data = Largest<int>(parts) },
        _ => throw new ArgumentException($"Tensor '{first.Name}' is {first.DType}; only F32, F64, I64 and I32 can be merged.", nameof(parts)),
    };

    private static byte[] Mean<T>((NamedTensor Tensor, double Share)[] parts)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var mean = new byte[parts[0].Tensor.Data.Length];
        Span<T> target = MemoryMarshal.Cast<byte, T>(mean.AsSpan());
        foreach (var (tensor, share) in parts)
        {
            TensorPrimitives.MultiplyAdd(MemoryMarshal.Cast<byte, T>(tensor.Data), T.CreateChecked(share), target, target);
        }

        return mean;
    }

    private static byte[] Largest<T>((NamedTensor Tensor, double Share)[] parts)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var largest = parts[0].Tensor.Data.ToArray();
        Span<T> target = MemoryMarshal.Cast<byte, T>(largest.AsSpan());
        foreach (var (tensor, _) in parts.Skip(1))
        {
            TensorPrimitives.Max(target, MemoryMarshal.Cast<byte, T>(tensor.Data), target);
        }

        return largest;
    }
}
