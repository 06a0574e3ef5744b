using System.Collections.Concurrent;

namespace Shoal.Grains.Telemetry;

/// <summary>Values of tags: an enumeration's names as Prometheus' users write them, made once.</summary>
internal static class Label
{
    /// <summary>The name in lower case, with a line between words: <c>already_known</c>.</summary>
    /// <param name="value">The value.</param>
    public static string Of<T>(T value)
        where T : struct, Enum => Names<T>.All.GetOrAdd(value, static v => string.Concat($"{v}".Select((letter, i) =>
            char.IsAsciiLetterUpper(letter) && i > 0 ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}")));

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly ConcurrentDictionary<T, string> All = new();
    }
}
