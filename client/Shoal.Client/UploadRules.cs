using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Says what is wrong with an item before it is sent: the rules that need no decoding.</summary>
public static class UploadRules
{
    /// <summary>The longest media type, in characters: RFC 6838 allows 127 on each side of the slash.</summary>
    public const int MaxMediaTypeLength = 255;

    /// <summary>The most bytes of weights that a dataset begins with: ResNet-18 has 45 MB.</summary>
    public const int MostWeights = 64 * 1024 * 1024;

    /// <summary>The words for weights over that limit.</summary>
    public static string WeightsTooLarge { get; } = $"The weights are larger than {MostWeights:N0} bytes.";

    /// <summary>Says what is wrong with an item; null when it may be sent.</summary>
    /// <param name="item">The item.</param>
    /// <param name="settings">The dataset's settings.</param>
    public static string? Problem(ItemUpload item, DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentNullException.ThrowIfNull(settings);
        if (Names.ItemIdProblem(item.Id) is { } problem)
        {
            return problem;
        }

        // It comes back as a header when the item is read, so it may hold nothing that a header may not.
        if (item.MediaType is not { Length: > 0 and <= MaxMediaTypeLength } type || type.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return $"The media type must have 1 to {MaxMediaTypeLength} visible ASCII characters, for example image/png.";
        }

        if (item.Bytes is not { Length: > 0 } bytes)
        {
            return "The item holds no bytes.";
        }

        return bytes.Length > settings.MaxItemBytes ? TooLarge(settings) : null;
    }

    /// <summary>The media type of a file by its name; <c>image/*</c> or <c>audio/*</c>, by the modality, where the name tells nothing.</summary>
    /// <param name="name">The file's name or path.</param>
    /// <param name="settings">The dataset's settings.</param>
    public static string MediaTypeOf(string name, DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return MediaFiles.Of(settings.Modality).TypeOf(name);
    }

    /// <summary>The words for an item over the dataset's limit.</summary>
    /// <param name="settings">The dataset's settings.</param>
    public static string TooLarge(DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return $"The item is larger than the dataset's limit of {settings.MaxItemBytes:N0} bytes.";
    }
}
