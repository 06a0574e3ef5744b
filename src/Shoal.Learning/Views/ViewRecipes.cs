using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Views by name, for those who know better than the shape of samples which changes leave them what they are.</summary>
public static class ViewRecipes
{
    /// <summary>The views that suit samples' kind and shape, <see cref="ViewMakers.Create"/>.</summary>
    public const string Auto = "auto";

    /// <summary>Those with small crops, <see cref="MultiCropViews"/>.</summary>
    public const string MultiCrop = "multicrop";

    private static readonly SortedDictionary<string, Func<SampleShape, Device, IViewMaker>> OfImages = new(StringComparer.Ordinal)
    {
        ["drawing"] = (shape, device) => new ViewMaker(shape, device, ViewMaker.Options.Grey),
        [MultiCrop] = (shape, device) => new MultiCropViews(shape, device),
        ["photograph"] = (shape, device) => new ViewMaker(shape, device, ViewMaker.Options.Photograph),
        ["randaugment"] = (shape, device) => new RandAugmentViews(shape, device),
    };

    /// <summary>All names, <see cref="Auto"/> first.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, .. OfImages.Keys];

    /// <summary>Why samples of a kind have no views of that name; null when they have.</summary>
    /// <param name="name">Any text.</param>
    /// <param name="kind">What samples are.</param>
    public static string? Misfit(string name, SampleKind kind) =>
        !Names.Contains(name, StringComparer.Ordinal) ? $"Views '{name}' are unknown; there are: {string.Join(", ", Names)}."
        : kind != SampleKind.Image && !string.Equals(name, Auto, StringComparison.Ordinal) ? $"Views '{name}' are of images, and the samples are sound; use '{Auto}'."
        : null;

    /// <summary>Makes them.</summary>
    /// <param name="name">One that <see cref="Misfit"/> has nothing against.</param>
    /// <param name="kind">What samples are.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="device">Where they are.</param>
    public static IViewMaker Create(string name, SampleKind kind, SampleShape shape, Device device) =>
        OfImages.TryGetValue(name, out var make) ? make(shape, device) : ViewMakers.Create(kind, shape, device);
}
