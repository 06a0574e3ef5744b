namespace Shoal.Media;

/// <summary>There is no memory for a picture's pixels now. Repeat it later: the same bytes may decode then.</summary>
public sealed class DecodeMemoryException : Exception
{
    /// <summary>Makes a failure.</summary>
    /// <param name="message">How much was asked for.</param>
    public DecodeMemoryException(string message)
        : base(message)
    {
    }
}
