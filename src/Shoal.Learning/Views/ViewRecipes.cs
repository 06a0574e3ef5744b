using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Views by name, for those who know better than the shape of samples which changes leave them what they are.</summary>
public static class ViewRecipes
{
    /// <summary>The views that suit samples' kind and shape, <see cref="ViewMakers.Create"/>.</summary>
    public const string Auto = "auto";

    /// <summary>Those with small crops, <see cref="MultiCropViews"/>.</summary>
    public const string MultiCrop = "multicrop";

    private static readonly SortedDictionary<string, Recipe> All = new(StringComparer.Ordinal)
    {
        ["byol-a"] = new(SampleKind.Sound, (shape, device) => new SoundViews(shape, device, SoundViews.Options.ByolA)),
        ["drawing"] = new(SampleKind.Image, (shape, device) => new ViewMaker(shape, device, ViewMaker.Options.Grey)),
        [MultiCrop] = new(SampleKind.Image, (shape, device) => new MultiCropViews(shape, device)),
        ["photograph"] = new(SampleKind.Image, (shape, device) => new ViewMaker(shape, device, ViewMaker.Options.Photograph)),
        ["randaugment"] = new(SampleKind.Image, (shape, device) => new RandAugmentViews(shape, device)),
        ["speech"] = new(SampleKind.Sound, (shape, device) => new SoundViews(shape, device)),
        ["timbre"] = new(SampleKind.Sound, (shape, device) => new SoundViews(shape, device, SoundViews.Options.Timbre)),
    };

    /// <summary>All names, <see cref="Auto"/> first.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, .. All.Keys];

    /// <summary>Why samples of a kind have no views of that name; null when they have.</summary>
    /// <param name="name">Any text.</param>
    /// <param name="kind">What samples are.</param>
    public static string? Misfit(string name, SampleKind kind)
    {
        if (string.Equals(name, Auto, StringComparison.Ordinal) || (All.TryGetValue(name, out Recipe? recipe) && recipe.Kind == kind))
        {
            return null;
        }

        string[] suitable = [Auto, .. All.Where(entry => entry.Value.Kind == kind).Select(entry => entry.Key)];
        return All.ContainsKey(name)
            ? $"Views '{name}' are not of samples that are {SampleTraits.Of(kind).Plural}; for those there are: {string.Join(", ", suitable)}."
            : $"Views '{name}' are unknown; for samples that are {SampleTraits.Of(kind).Plural} there are: {string.Join(", ", suitable)}.";
    }

    /// <summary>Makes them.</summary>
    /// <param name="name">One that <see cref="Misfit"/> has nothing against.</param>
    /// <param name="kind">What samples are.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="device">Where they are.</param>
    public static IViewMaker Create(string name, SampleKind kind, SampleShape shape, Device device) =>
        All.TryGetValue(name, out Recipe? recipe) ? recipe.Make(shape, device) : ViewMakers.Create(kind, shape, device);

    private sealed record Recipe(SampleKind Kind, Func<SampleShape, Device, IViewMaker> Make);
}
