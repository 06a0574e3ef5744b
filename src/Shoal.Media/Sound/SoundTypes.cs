namespace Shoal.Media.Sound;

/// <summary>Tells by a declared media type whether bytes are sound, and by a file's name which type to declare.</summary>
public static class SoundTypes
{
    /// <summary>WAV.</summary>
    public const string Wav = "audio/wav";

    /// <summary>Bare sound: 16-bit little-endian PCM of one channel at the dataset's own rate, without a header.</summary>
    public const string Raw = "audio/x-raw";

    private static readonly string[] WavNames = [Wav, "audio/x-wav", "audio/wave", "audio/vnd.wave"];

    private static readonly Dictionary<string, string> ByExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".wav"] = Wav,
        [".wave"] = Wav,
        [".flac"] = "audio/flac",
        [".ogg"] = "audio/ogg",
        [".oga"] = "audio/ogg",
        [".opus"] = "audio/ogg",
        [".mp3"] = "audio/mpeg",
        [".m4a"] = "audio/mp4",
        [".aac"] = "audio/aac",
        [".aif"] = "audio/aiff",
        [".aiff"] = "audio/aiff",
        [".caf"] = "audio/x-caf",
        [".wma"] = "audio/x-ms-wma",
        [".weba"] = "audio/webm",
    };

    /// <summary>Whether a declared type is any sound type, <c>audio/*</c> included.</summary>
    /// <param name="mediaType">A media type; parameters after ';' are not looked at.</param>
    public static bool IsSound(string mediaType) => MediaTypes.Essence(mediaType).StartsWith("audio/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a declared type is bare sound.</summary>
    /// <param name="mediaType">A media type; parameters after ';' are not looked at.</param>
    public static bool IsRaw(string mediaType) => MediaTypes.Essence(mediaType).Equals(Raw, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a declared type is one of the four names of WAV.</summary>
    /// <param name="mediaType">A media type; parameters after ';' are not looked at.</param>
    public static bool IsWav(string mediaType)
    {
        var essence = MediaTypes.Essence(mediaType);
        foreach (var name in WavNames)
        {
            if (essence.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The media type of a sound file; null when its extension is none of a sound.</summary>
    /// <param name="path">A file's name or path.</param>
    public static string? OfFile(string path) => ByExtension.GetValueOrDefault(Path.GetExtension(path));
}
