using System.Reflection;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>A self-supervised loss; one file each, picked by name and weight.</summary>
/// <remarks>
/// An implementation has the attribute <see cref="ObjectiveAttribute"/> and the constructor <c>(int featureWidth)</c>, or
/// <c>(int featureWidth, SampleShape shape)</c> where its networks depend on the samples' shape.
/// </remarks>
public interface IObjective : IDisposable
{
    /// <summary>What the objective itself learns; empty when it learns nothing.</summary>
    nn.Module Own { get; }

    /// <summary>The width of the keys that it puts into the memory bank; 0 when it uses no bank.</summary>
    int KeyWidth { get; }

    /// <summary>Computes the loss.</summary>
    /// <param name="batch">Read only.</param>
    /// <returns>Named terms whose sum is the loss, and keys for the bank.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape than the batch says; the text names both.</exception>
    ObjectiveResult Compute(StepBatch batch);

    /// <summary>Called once the optimiser has moved the parameters.</summary>
    /// <param name="momentum">How much of a momentum twin stays, 0 to 1.</param>
    void AfterStep(double momentum);
}

/// <summary>What an objective makes of a batch.</summary>
/// <param name="Terms">Scalars by name, each already weighted within the objective; their sum is its loss.</param>
/// <param name="Keys">Keys for the memory bank, [N, KeyWidth], L2-normalised, without gradient; null when it uses no bank or nothing of this batch shall go there.</param>
public sealed record ObjectiveResult(IReadOnlyDictionary<string, Tensor> Terms, Tensor? Keys = null);

/// <summary>Names an objective, as options refer to it.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ObjectiveAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>Whether it trains the cluster heads jointly with the encoder, so that their number of clusters must be given.</summary>
    public bool TrainsHead { get; init; }

    /// <summary>What kind of method it is.</summary>
    public ObjectiveFamily Family { get; init; }

    /// <summary>Authors, year, title, section or equation of what it computes.</summary>
    public string Source { get; init; } = string.Empty;

    /// <summary>What of a step it reads beside both views' features; of anything else it is independent.</summary>
    public ObjectiveNeeds Needs { get; init; }

    /// <summary>Whether one cluster for all samples is among its best answers, so that another objective must make the clusters.</summary>
    public bool Collapses { get; init; }

    /// <summary>Whether features that are all alike are among its best answers, and only how it is trained keeps away from them: a predictor, a stopped gradient.</summary>
    public bool LeastAtCollapse { get; init; }

    /// <summary>Whether samples must be as high as wide.</summary>
    public bool NeedsSquare { get; init; }

    /// <summary>Whether samples must have three channels.</summary>
    public bool NeedsColour { get; init; }

    /// <summary>Why it has nothing to ask about spectrograms, as the end of a sentence; null when it learns from sound as from images.</summary>
    public string? OnlyImages { get; init; }

    /// <summary>The least height and width of samples, pixels.</summary>
    public int LeastSide { get; init; } = 1;

    /// <summary>Whether the encoder must be one that can be shown some patches of a sample only, <see cref="IPatchwiseEncoder"/>.</summary>
    public bool NeedsPatches { get; init; }

    /// <summary>Whether the encoder must be one that sees a sample in the course of time, <see cref="ILatentEncoder"/>.</summary>
    public bool NeedsLatents { get; init; }

    /// <summary>Why samples of a shape give it nothing to learn; null when they suit it.</summary>
    /// <param name="shape">Their shape.</param>
    /// <param name="kind">What they are.</param>
    public string? Misfit(SampleShape shape, SampleKind kind = SampleKind.Image)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return shape.IsWaveform && Needs.HasFlag(ObjectiveNeeds.Samples) && !NeedsLatents ? $"Objective '{Name}' changes pictures and spectrograms; waveforms it cannot."
            : kind is SampleKind.Sound && OnlyImages is not null ? $"Objective '{Name}' is for images: {OnlyImages}."
            : NeedsColour && shape.Channels != 3 ? $"Objective '{Name}' learns from colours; samples have {shape.Channels} channel(s), and it needs 3."
            : NeedsSquare && shape.Height != shape.Width ? $"Objective '{Name}' turns samples by quarters; they must be as high as wide, and are {shape.Height}x{shape.Width}."
            : Math.Min(shape.Height, shape.Width) < LeastSide ? $"Objective '{Name}' cuts samples into pieces; sides must be {LeastSide} pixels at least, and are {shape.Height}x{shape.Width}."
            : null;
    }
}

/// <summary>Kinds of methods.</summary>
public enum ObjectiveFamily
{
    /// <summary>A view is told from other samples by its other view.</summary>
    Contrastive,

    /// <summary>Both views of a sample agree, and something else than other samples keeps them from being all alike.</summary>
    NonContrastive,

    /// <summary>Both views of a sample are of one cluster.</summary>
    Clustering,

    /// <summary>A question about a changed sample whose answer is known: how it was turned, what was taken out.</summary>
    Pretext,

    /// <summary>A sample is read from left to right, as a spectrogram is in time: what comes next, what belongs together.</summary>
    Sequence,
}

/// <summary>What an objective may read of a step.</summary>
[Flags]
public enum ObjectiveNeeds
{
    /// <summary>Both views' features alone.</summary>
    None = 0,

    /// <summary><see cref="StepBatch.KeyFeatures"/>.</summary>
    KeyEncoder = 1,

    /// <summary><see cref="StepBatch.BankKeys"/> and their samples.</summary>
    Bank = 2,

    /// <summary><see cref="StepBatch.Anchors"/> and <see cref="StepBatch.Neighbours"/>.</summary>
    Neighbours = 4,

    /// <summary><see cref="StepBatch.Labels"/>: communities are found at every mining.</summary>
    Labels = 8,

    /// <summary><see cref="StepBatch.Head"/>.</summary>
    Heads = 16,

    /// <summary><see cref="StepBatch.Replayed"/>.</summary>
    Replay = 32,

    /// <summary><see cref="StepBatch.Pixels"/>, which it changes and has encoded by <see cref="StepBatch.Encode"/>.</summary>
    Samples = 64,

    /// <summary><see cref="StepBatch.CropFeatures"/>, where views have small crops.</summary>
    Crops = 128,
}

/// <summary>Finds objectives by name.</summary>
public static class ObjectiveCatalogue
{
    private static readonly SortedDictionary<string, (Type Type, ObjectiveAttribute Is)> Types = new(
        typeof(ObjectiveCatalogue).Assembly.GetTypes()
            .Select(type => (Type: type, Is: type.GetCustomAttribute<ObjectiveAttribute>()!))
            .Where(found => found.Is is not null)
            .ToDictionary(found => found.Is.Name, StringComparer.Ordinal),
        StringComparer.Ordinal);

    /// <summary>The names of all objectives, in order.</summary>
    public static IReadOnlyCollection<string> Names => Types.Keys;

    /// <summary>What is declared of an objective; null when no objective has that name.</summary>
    /// <param name="name">Any name.</param>
    public static ObjectiveAttribute? Find(string name) => Types.TryGetValue(name, out var found) ? found.Is : null;

    /// <summary>Makes an objective with fresh weights from libtorch's global generator.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples, which must suit it: <see cref="ObjectiveAttribute.Misfit"/>.</param>
    /// <exception cref="ArgumentException">No objective has that name, or samples of that shape give it nothing to learn.</exception>
    public static IObjective Create(string name, int featureWidth, SampleShape shape)
    {
        if (!Types.TryGetValue(name, out var found))
        {
            throw new ArgumentException($"Objective '{name}' is unknown; there are: {string.Join(", ", Names)}.", nameof(name));
        }

        if (found.Is.Misfit(shape) is { } reason)
        {
            throw new ArgumentException(reason, nameof(shape));
        }

        return (IObjective)(found.Type.GetConstructor([typeof(int), typeof(SampleShape)]) is { } shaped ? shaped.Invoke([featureWidth, shape]) : Activator.CreateInstance(found.Type, featureWidth)!);
    }
}
