namespace Shoal.Media;

/// <summary>Why bytes are not taken or cannot be decoded.</summary>
/// <param name="Code">One of <see cref="MediaProblemCodes"/>.</param>
/// <param name="Message">A sentence for the producer that says what to do.</param>
public sealed record MediaProblem(string Code, string Message);

/// <summary>The codes of <see cref="MediaProblem"/>; they are stored with quarantined items and never change.</summary>
public static class MediaProblemCodes
{
    /// <summary>There are no bytes, or a sound without a single value.</summary>
    public const string Empty = "empty";

    /// <summary>More bytes than the dataset takes.</summary>
    public const string TooLarge = "too-large";

    /// <summary>The bytes do not begin like any format that is read.</summary>
    public const string NotAnImage = "not-an-image";

    /// <summary>The header announces more pixels than the dataset takes.</summary>
    public const string TooManyPixels = "too-many-pixels";

    /// <summary>Bare pixels of another length than the dataset's samples, or bare sound that ends within a value.</summary>
    public const string WrongLength = "wrong-length";

    /// <summary>The declared media type is not one of the dataset's modality.</summary>
    public const string UnsupportedType = "unsupported-type";

    /// <summary>The image ends before its last pixel, the sound before the last value that its header announces.</summary>
    public const string Truncated = "truncated";

    /// <summary>The header is fine, the pixels or values are not.</summary>
    public const string Undecodable = "undecodable";

    /// <summary>The bytes are neither WAV of a form that is read nor bare sound.</summary>
    public const string NotASound = "not-a-sound";

    /// <summary>The sound lasts longer than the dataset's window.</summary>
    public const string TooLong = "too-long";

    /// <summary>Nothing in the sound is above -60 dB of full scale.</summary>
    public const string Silent = "silent";
}
