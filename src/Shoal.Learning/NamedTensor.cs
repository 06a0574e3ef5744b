using System.Runtime.InteropServices;

namespace Shoal.Learning;

/// <summary>A tensor outside libtorch, as it travels to and from a safetensors file.</summary>
/// <param name="Name">Its name, unique in its part.</param>
/// <param name="DType">A safetensors dtype: <c>F64</c>, <c>F32</c>, <c>F16</c>, <c>I64</c>, <c>I32</c>, <c>U8</c>.</param>
/// <param name="Shape">The length of each dimension; empty for a scalar.</param>
/// <param name="Data">Little-endian, row-major.</param>
public sealed record NamedTensor(string Name, string DType, long[] Shape, byte[] Data)
{
    /// <summary>Wraps managed numbers.</summary>
    /// <typeparam name="T">double, float, Half, long, int or byte.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="values">Row-major.</param>
    /// <param name="shape">The length of each dimension; one dimension when none is given.</param>
    public static NamedTensor Of<T>(string name, ReadOnlySpan<T> values, params long[] shape)
        where T : unmanaged
        => new(name, DTypeOf<T>(), shape.Length == 0 ? [values.Length] : shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The numbers, row-major.</summary>
    /// <typeparam name="T">The type that <see cref="DType"/> names.</typeparam>
    /// <exception cref="InvalidDataException">The tensor holds another type.</exception>
    public T[] Values<T>()
        where T : unmanaged
        => string.Equals(DType, DTypeOf<T>(), StringComparison.Ordinal)
            ? MemoryMarshal.Cast<byte, T>(Data).ToArray()
            : throw new InvalidDataException($"Tensor '{Name}' is {DType}, not {DTypeOf<T>()}.");

    private static string DTypeOf<T>() => default(T) switch
    {
        double => "F64",
        float => "F32",
        Half => "F16",
        long => "I64",
        int => "I32",
        byte => "U8",
        _ => throw new NotSupportedException($"No safetensors dtype for {typeof(T)}."),
    };
}

/// <summary>Looks tensors up by name.</summary>
internal static class NamedTensors
{
    /// <summary>The tensor of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static NamedTensor Named(this IReadOnlyList<NamedTensor> tensors, string name)
        => tensors.FirstOrDefault(t => string.Equals(t.Name, name, StringComparison.Ordinal))
            ?? throw new InvalidDataException($"Tensor '{name}' is missing; there are {tensors.Count} others.");
}
