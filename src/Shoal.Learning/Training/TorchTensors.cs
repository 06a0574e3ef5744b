using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Carries tensors between libtorch and <see cref="NamedTensor"/>.</summary>
internal static class TorchTensors
{
    /// <summary>Copies a tensor out of libtorch.</summary>
    /// <param name="tensor">Any shape; float32, float64, int64 or uint8.</param>
    /// <param name="name">The name to give it.</param>
    public static NamedTensor Save(this Tensor tensor, string name)
    {
        using var scope = NewDisposeScope();
        var dense = tensor.detach().cpu().contiguous();
        var dtype = dense.dtype switch
        {
            ScalarType.Float32 => "F32",
            ScalarType.Float64 => "F64",
            ScalarType.Int64 => "I64",
            ScalarType.Byte => "U8",
            var other => throw new NotSupportedException($"Tensor '{name}' is {other}."),
        };
        return new NamedTensor(name, dtype, dense.shape, dense.bytes.ToArray());
    }

    /// <summary>A tensor's numbers, row-major. TorchSharp's accessor walks them one by one, and throws when there are none.</summary>
    /// <param name="tensor">Of type <typeparamref name="T"/>, any shape, any device.</param>
    /// <typeparam name="T">The element type.</typeparam>
    public static T[] ToArray<T>(this Tensor tensor)
        where T : unmanaged
    {
        using var scope = NewDisposeScope();
        return tensor.Values<T>().ToArray();
    }

    /// <summary>A tensor's numbers, row-major, where they lie: good until the caller's dispose scope ends.</summary>
    /// <param name="tensor">Of type <typeparamref name="T"/>, any shape, any device.</param>
    /// <typeparam name="T">The element type.</typeparam>
    public static ReadOnlySpan<T> Values<T>(this Tensor tensor)
        where T : unmanaged
        => tensor.numel() == 0 ? [] : MemoryMarshal.Cast<byte, T>(tensor.detach().cpu().contiguous().bytes);

    /// <summary>Copies a saved tensor's numbers into a tensor of the same shape and type.</summary>
    /// <param name="target">Written in place.</param>
    /// <param name="saved">Read.</param>
    /// <exception cref="InvalidDataException">Shapes differ.</exception>
    public static void Load(this Tensor target, NamedTensor saved)
    {
        if (!target.shape.AsSpan().SequenceEqual(saved.Shape))
        {
            throw new InvalidDataException(
                $"Tensor '{saved.Name}' is [{string.Join(", ", saved.Shape)}], expected [{string.Join(", ", target.shape)}].");
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor source = saved.DType switch
        {
            "F32" => tensor(saved.Values<float>(), saved.Shape),
            "F64" => tensor(saved.Values<double>(), saved.Shape),
            "I64" => tensor(saved.Values<long>(), saved.Shape),
            "U8" => tensor(saved.Values<byte>(), saved.Shape),
            _ => throw new InvalidDataException($"Tensor '{saved.Name}' is {saved.DType}."),
        };
        target.copy_(source);
    }

    /// <summary>A module's parameters and buffers, by name.</summary>
    /// <param name="module">Any module.</param>
    /// <param name="prefix">Put before every name.</param>
    public static IEnumerable<NamedTensor> Save(this nn.Module module, string prefix)
        => module.state_dict().Select(entry => entry.Value.Save(prefix + entry.Key));

    /// <summary>Reads back what <see cref="Save(nn.Module, string)"/> gave.</summary>
    /// <param name="module">The same architecture.</param>
    /// <param name="prefix">As it was saved with.</param>
    /// <param name="saved">Holds at least the module's tensors.</param>
    /// <exception cref="InvalidDataException">One is missing or has another shape.</exception>
    public static void Load(this nn.Module module, string prefix, IReadOnlyList<NamedTensor> saved)
    {
        foreach (var (name, tensor) in module.state_dict())
        {
            tensor.Load(saved.Named(prefix + name));
        }
    }

    /// <summary>uint8 pixels as a float tensor.</summary>
    /// <param name="pixels">[N, C, H, W], row-major.</param>
    /// <param name="shape">The shape of one sample.</param>
    /// <param name="device">Where to put it.</param>
    /// <returns>[N, C, H, W], float32, 0 to 1.</returns>
    public static Tensor ToUnit(ReadOnlySpan<byte> pixels, SampleShape shape, Device device)
    {
        using var scope = NewDisposeScope();
        var samples = empty([pixels.Length / shape.Size, shape.Channels, shape.Height, shape.Width], ScalarType.Byte);
        pixels.CopyTo(samples.bytes);
        return samples.to(device).to_type(ScalarType.Float32).mul_(1f / 255f).MoveToOuterDisposeScope();
    }

    /// <summary>How many samples go through a network at once.</summary>
    /// <param name="shape">Their shape.</param>
    /// <param name="most">Of pictures.</param>
    public static int Part(SampleShape shape, int most)
    {
        // 65 windows of a second. What the first layer makes of a value are six numbers of four bytes, three times over: 80 MB.
        const int MostValues = 1 << 20;
        return shape.IsWaveform ? Math.Min(MostValues / shape.Size, most) : most;
    }

    /// <summary>What is made of a buffer's samples, a few at a time.</summary>
    /// <param name="samples">The buffer; not empty.</param>
    /// <param name="device">Where it is made.</param>
    /// <param name="make">Makes rows of samples, [m, C, H, W], float32, 0 to 1.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>All rows, [n, ...].</returns>
    public static Tensor InParts(ReplayBuffer samples, Device device, Func<Tensor, Tensor> make, Action? between)
    {
        using var scope = NewDisposeScope();
        var part = Part(samples.Shape, 512);
        var parts = new List<Tensor>();
        for (var start = 0; start < samples.Count; start += part)
        {
            using var partScope = NewDisposeScope();
            var pixels = samples.Pixels.Slice(start * samples.Shape.Size, Math.Min(part, samples.Count - start) * samples.Shape.Size);
            parts.Add(make(ToUnit(pixels, samples.Shape, device)).MoveToOuterDisposeScope());
            between?.Invoke();
        }

        return cat(parts).MoveToOuterDisposeScope();
    }
}
