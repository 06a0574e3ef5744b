using System.Reflection;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>A network from samples to features; one file each, picked by name.</summary>
/// <remarks>A subclass has the constructor <c>(SampleShape shape)</c> and registers all that it learns.</remarks>
public abstract class Encoder : nn.Module<Tensor, Tensor>
{
    /// <summary>Says the name under which libtorch registers the module.</summary>
    /// <param name="name">The encoder's name.</param>
    protected Encoder(string name)
        : base(name)
    {
    }

    /// <summary>The feature's width, D.</summary>
    public abstract int Width { get; }

    /// <summary>What convolutions and wide linear layers compute in; features are float32 whatever it is.</summary>
    /// <value>float32.</value>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;
}

/// <summary>Names an encoder, as options and model versions refer to it.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EncoderAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}

/// <summary>Finds encoders by name.</summary>
public static class EncoderCatalogue
{
    private static readonly SortedDictionary<string, Type> Types = new(
        typeof(EncoderCatalogue).Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<EncoderAttribute>() is not null)
            .ToDictionary(type => type.GetCustomAttribute<EncoderAttribute>()!.Name, StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>The names of all encoders, in order.</summary>
    public static IReadOnlyCollection<string> Names => Types.Keys;

    /// <summary>Makes an encoder with fresh weights from libtorch's global generator.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="shape">What it will see.</param>
    /// <exception cref="ArgumentException">No encoder has that name.</exception>
    public static Encoder Create(string name, SampleShape shape)
        => Types.TryGetValue(name, out var type)
            ? (Encoder)Activator.CreateInstance(type, shape)!
            : throw new ArgumentException($"Encoder '{name}' is unknown; there are: {string.Join(", ", Names)}.", nameof(name));
}
