namespace Shoal.Media;

/// <summary>What all media types have in common.</summary>
internal static class MediaTypes
{
    /// <summary>A media type without its parameters: <c>audio/wav</c> of <c>audio/wav; rate=8000</c>.</summary>
    /// <param name="mediaType">A media type as declared.</param>
    public static ReadOnlySpan<char> Essence(string mediaType)
    {
        var end = mediaType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? mediaType : mediaType.AsSpan(0, end)).Trim();
    }
}
