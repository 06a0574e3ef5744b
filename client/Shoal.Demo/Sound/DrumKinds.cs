namespace Shoal.Demo;

/// <summary>What a drum's recording is, by its file's name. It only scores what the silo answers.</summary>
internal static class DrumKinds
{
    // The first that a name holds: 'HiHatOpen', 'SabianHatClosed' and 'hhat' are hats, 'SnareRim' is a snare, 'CrashRide18Bell' a cymbal.
    private static readonly (string Word, string Kind)[] Words =
    [
        ("hat", "hi-hat"), ("snare", "snare"), ("kick", "kick"), ("tamb", "tambourine"), ("tom", "tom"),
        ("crash", "cymbal"), ("ride", "cymbal"), ("china", "cymbal"), ("splash", "cymbal"), ("paiste", "cymbal"),
        ("cowbell", "bell"), ("agogo", "bell"), ("bell", "bell"),
        ("head", "hand drum"), ("djembe", "hand drum"), ("bongo", "hand drum"), ("cajon", "hand drum"),
        ("clap", "clap"), ("snap", "clap"), ("maraca", "shaker"), ("shake", "shaker"), ("glass", "glass"),
        ("clave", "wood"), ("wood", "wood"), ("stick", "wood"), ("rimclick", "wood"),
    ];

    /// <summary>The kind; null when the name tells none.</summary>
    /// <param name="id">A recording's id: the kit's folder and the file.</param>
    public static string? Of(string id)
    {
        var name = id[(id.LastIndexOf('/') + 1)..];
        return Words.FirstOrDefault(word => name.Contains(word.Word, StringComparison.OrdinalIgnoreCase)).Kind;
    }
}
