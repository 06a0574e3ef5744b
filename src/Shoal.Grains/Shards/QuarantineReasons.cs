using Shoal.Media;

namespace Shoal.Grains.Shards;

/// <summary>Turns reasons of quarantine into the numbers that the assignment table keeps, and back into sentences.</summary>
internal static class QuarantineReasons
{
    // The order is stored: add at the end, never remove.
    private static readonly (string Code, string Sentence)[] Known =
    [
        ("unknown", "The item cannot be decoded."),
        (MediaProblemCodes.Empty, "The item is empty."),
        (MediaProblemCodes.TooLarge, "The item is larger than the dataset takes."),
        (MediaProblemCodes.NotAnImage, "The bytes are not an image in a known format."),
        (MediaProblemCodes.TooManyPixels, "The image has more pixels than the dataset takes."),
        (MediaProblemCodes.WrongLength, "The bare bytes are not as many as the dataset's samples have."),
        (MediaProblemCodes.UnsupportedType, "The media type is none of the dataset's modality."),
        (MediaProblemCodes.Truncated, "The item is truncated: its end is missing. Send the whole file under a new id, or replace it."),
        (MediaProblemCodes.Undecodable, "The item is corrupt and cannot be decoded. Send a good file under a new id, or replace it."),
        (MediaProblemCodes.NotASound, "The bytes are not a WAV."),
        (MediaProblemCodes.TooLong, "The sound is longer than a window; ingest it as a recording."),
        (MediaProblemCodes.Silent, "Nothing in the sound is above -60 dB of full scale; check the recorder's gain and cable."),
    ];

    /// <summary>The number of a reason.</summary>
    /// <param name="code">A code of <see cref="MediaProblemCodes"/>.</param>
    public static int NumberOf(string? code) => Math.Max(0, Array.FindIndex(Known, k => string.Equals(k.Code, code, StringComparison.Ordinal)));

    /// <summary>The sentence of a reason.</summary>
    /// <param name="number">A number made by <see cref="NumberOf"/>.</param>
    public static string Sentence(long number) => Known[number >= 0 && number < Known.Length ? (int)number : 0].Sentence;

    /// <summary>The code of a reason.</summary>
    /// <param name="number">A number made by <see cref="NumberOf"/>.</param>
    public static string Code(long number) => Known[number >= 0 && number < Known.Length ? (int)number : 0].Code;
}
