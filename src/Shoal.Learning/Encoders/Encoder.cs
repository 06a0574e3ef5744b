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

    /// <summary>Whether objectives move its parameters; if not, it learns by <see cref="Watch"/>.</summary>
    public virtual bool LearnsByGradient => true;

    /// <summary>What it needs in order to go on learning, and nobody to embed with; null when there is nothing. Made when first asked for.</summary>
    public virtual nn.Module? Memories => null;

    /// <summary>Sees what a step trains on, before it does.</summary>
    /// <param name="samples">Normalised, without a view's changes, fresh ones first, [N, C, H, W], float32.</param>
    /// <param name="viewA">One view of each fresh sample, normalised, [n, C, H, W], float32; n at least 1, at most N.</param>
    /// <param name="viewB">Another, likewise.</param>
    public virtual void Watch(Tensor samples, Tensor viewA, Tensor viewB)
    {
    }
}

/// <summary>Names an encoder, as options and model versions refer to it.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EncoderAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The least height and width of samples, pixels; of waveforms the least number of values.</summary>
    public int LeastSide { get; init; } = 8;

    /// <summary>The most.</summary>
    public int MostSide { get; init; } = 256;

    /// <summary>Whether it takes waveforms, and no pictures.</summary>
    public bool IsForWaveforms { get; init; }
}

/// <summary>An encoder that sees a sample in the course of time, and pools what it sees last.</summary>
public interface ILatentEncoder
{
    /// <summary>Computes what is pooled.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <returns>[N, T, D], float32, D the feature's width: one for each place in time, in order.</returns>
    Tensor EncodeLatents(Tensor input);
}

/// <summary>Finds encoders by name.</summary>
public static class EncoderCatalogue
{
    private static readonly SortedDictionary<string, Type> Types = new(
        typeof(EncoderCatalogue).Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<EncoderAttribute>() is not null)
            .ToDictionary(type => type.GetCustomAttribute<EncoderAttribute>()!.Name, StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>Stands for the encoder that suits the samples' shape.</summary>
    public const string Auto = "auto";

    /// <summary>The encoder that sees patches, and may be shown some of them only.</summary>
    public const string Patchwise = "vit";

    /// <summary>The encoder of waveforms.</summary>
    public const string Waveform = "waveform";

    // Larger photographs show more than what is left of them at PatchEncoder.LargestSide.
    private const int LargestOfPatches = 2 * PatchEncoder.LargestSide;

    /// <summary>The names of all encoders, in order.</summary>
    public static IReadOnlyCollection<string> Names => Types.Keys;

    /// <summary>Why an encoder cannot see samples of a shape; null when it can.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="shape">Their shape.</param>
    public static string? Misfit(string name, SampleShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        EncoderAttribute takes = Types[name].GetCustomAttribute<EncoderAttribute>()!;
        if (takes.IsForWaveforms)
        {
            return !shape.IsWaveform ? $"Encoder '{name}' takes waveforms, not {shape}; use encoder '{Auto}', or the front end 'waveform'."
                : shape.Width < takes.LeastSide || shape.Width > takes.MostSide ? $"Encoder '{name}' takes waveforms of {takes.LeastSide} to {takes.MostSide} values, not {shape}."
                : null;
        }

        return shape.IsWaveform ? $"Encoder '{name}' takes pictures and spectrograms, no waveforms; use encoder '{Waveform}' or '{Auto}'."
            : Math.Min(shape.Height, shape.Width) < takes.LeastSide || Math.Max(shape.Height, shape.Width) > takes.MostSide
                ? $"Encoder '{name}' takes sides of {takes.LeastSide} to {takes.MostSide} pixels, not {shape}."
            : null;
    }

    /// <summary>Whether an encoder shows what it sees in the course of time, <see cref="ILatentEncoder"/>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static bool HasLatents(string name) => Types.TryGetValue(name, out var type) && type.IsAssignableTo(typeof(ILatentEncoder));

    /// <summary>Whether an encoder may be shown some patches of a sample only, <see cref="IPatchwiseEncoder"/>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static bool IsPatchwise(string name) => Types.TryGetValue(name, out var type) && type.IsAssignableTo(typeof(IPatchwiseEncoder));

    /// <summary>
    /// The encoder that a setting means: for <see cref="Auto"/> <c>waveform</c> for waveforms, <c>patches</c> for colour up to 64 pixels a side, else <c>strided</c>;
    /// that, too, where somebody chose objectives, which <c>patches</c> would not follow.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>, or <see cref="Auto"/>.</param>
    /// <param name="shape">What it will see.</param>
    /// <param name="objectivesChosen">Whether objectives were given instead of left to the default.</param>
    public static string Resolve(string name, SampleShape shape, bool objectivesChosen)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (!string.Equals(name, Auto, StringComparison.Ordinal))
        {
            return name;
        }

        return shape.IsWaveform ? Waveform
            : !objectivesChosen && shape.Channels == 3 && Math.Max(shape.Height, shape.Width) <= LargestOfPatches && Math.Min(shape.Height, shape.Width) >= PatchEncoder.LeastSide
            ? PatchEncoder.Name
            : "strided";
    }

    /// <summary>Makes an encoder with fresh weights from libtorch's global generator.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="shape">What it will see.</param>
    /// <exception cref="ArgumentException">No encoder has that name, or it cannot see samples of that shape.</exception>
    public static Encoder Create(string name, SampleShape shape)
    {
        if (!Types.TryGetValue(name, out var type))
        {
            throw new ArgumentException($"Encoder '{name}' is unknown; there are: {string.Join(", ", Names)}.", nameof(name));
        }

        return Misfit(name, shape) is { } reason ? throw new ArgumentException(reason, nameof(shape)) : (Encoder)Activator.CreateInstance(type, shape)!;
    }
}
