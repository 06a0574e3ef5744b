using System.Globalization;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Benchmarks;

/// <summary>Puts a data set's items into the order in which they arrive.</summary>
internal static class StreamOrder
{
    /// <summary>Orders the items.</summary>
    /// <param name="name"><c>iid</c>; <c>phases:PxC</c>: P phases of C classes each, shuffled inside; or <c>imbalanced:R</c>: shuffled, the first class R times as frequent as the last, geometric between.</param>
    /// <param name="data">The data set.</param>
    /// <param name="seed">Of the shuffle.</param>
    /// <param name="limit">How many items at most, drawn before they are ordered, so that every class and phase keeps its share; null for all.</param>
    public static List<SourceItem> Of(string name, LabelledData data, int seed, int? limit)
    {
        SourceItem[] items = [.. data.Train];
        new Random(seed).Shuffle(items);
        items = items[..Math.Min(items.Length, limit ?? int.MaxValue)];
        if (string.Equals(name, "iid", StringComparison.Ordinal))
        {
            return [.. items];
        }

        if (name.StartsWith("phases:", StringComparison.Ordinal)
            && name["phases:".Length..].Split('x') is [var phases, var classes]
            && int.TryParse(phases, out var p) && int.TryParse(classes, out var c) && p * c == data.Classes.Length)
        {
            // Stable: within a phase the shuffled order stays.
            return [.. items.OrderBy(i => data.LabelOf(i) / c)];
        }

        if (name.StartsWith("imbalanced:", StringComparison.Ordinal)
            && double.TryParse(name["imbalanced:".Length..], CultureInfo.InvariantCulture, out var ratio) && ratio >= 1 && data.Classes.Length > 1)
        {
            var random = new Random(seed);
            return [.. items.Where(i => random.NextDouble() < Math.Pow(ratio, -(double)data.LabelOf(i) / (data.Classes.Length - 1)))];
        }

        throw new ShoalException(
            ShoalErrorKind.Invalid,
            $"The stream '{name}' is unknown; give iid, phases:PxC with P times C = {data.Classes.Length} classes, or imbalanced:R with R of 1 or more.");
    }

    /// <summary>Whether a stream's order says nothing about its labels.</summary>
    /// <param name="name">As <see cref="Of"/> takes it.</param>
    public static bool IsShuffled(string name) => !name.StartsWith("phases:", StringComparison.Ordinal);

    /// <summary>How many classes arrive together; null for a stream without phases.</summary>
    /// <param name="name">As <see cref="Of"/> takes it.</param>
    public static int? ClassesInPhase(string name) => IsShuffled(name) ? null : int.Parse(name.AsSpan(name.LastIndexOf('x') + 1), CultureInfo.InvariantCulture);
}
