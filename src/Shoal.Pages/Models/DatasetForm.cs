using Shoal.Contracts;

namespace Shoal.Pages.Models;

/// <summary>The form by which a dataset is made. What it does not ask for takes its default.</summary>
public sealed class DatasetForm
{
    /// <summary>The dataset's name.</summary>
    public string Name { get; set; } = string.Empty;

    /// <summary><see cref="DatasetSettings.Image"/> or <see cref="DatasetSettings.Sound"/>.</summary>
    public string Modality { get; set; } = DatasetSettings.Image;

    /// <summary>Height of images, in pixels.</summary>
    public int Height { get; set; } = 32;

    /// <summary>Width of images, in pixels.</summary>
    public int Width { get; set; } = 32;

    /// <summary>Whether images have colours.</summary>
    public bool HasColours { get; set; } = true;

    /// <summary>Seconds of a window of sound.</summary>
    public double WindowSeconds { get; set; } = 1;

    /// <summary>The most clusters; 0 for as many as there are.</summary>
    public int Clusters { get; set; } = 10;

    /// <summary>Whether it is sound.</summary>
    public bool IsSound => string.Equals(Modality, DatasetSettings.Sound, StringComparison.Ordinal);

    /// <summary>The settings that it stands for. Windows of sound begin half a window apart, which is the default for those of a second.</summary>
    public DatasetSettings Settings()
    {
        var settings = new DatasetSettings
        {
            Modality = Modality,
            Clusters = Clusters,
        };
        return IsSound
            ? settings with { Channels = 1, WindowSeconds = WindowSeconds, HopSeconds = WindowSeconds / 2 }
            : settings with { Height = Height, Width = Width, Channels = HasColours ? 3 : 1 };
    }

    /// <summary>What is wrong with it, one sentence each; empty when it can be sent.</summary>
    public IReadOnlyList<string> Problems() => [.. new[] { Names.DatasetProblem(Name) }.OfType<string>(), .. Settings().Problems()];
}
