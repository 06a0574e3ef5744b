namespace Shoal.Media.Sound;

/// <summary>ffmpeg cannot be started. Repeat it once ffmpeg is installed; nothing is wrong with the sound.</summary>
public sealed class FfmpegMissingException : Exception
{
    /// <summary>Makes a failure.</summary>
    /// <param name="message">What to do.</param>
    /// <param name="innerException">What the system said.</param>
    public FfmpegMissingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
