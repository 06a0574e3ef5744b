using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Benchmarks;

/// <summary>Puts a data set's items into the order in which they arrive.</summary>
internal static class StreamOrder
{
    /// <summary>Orders the items.</summary>
    /// <param name="name"><c>iid</c>, or <c>phases:PxC</c>: P phases of C classes each, shuffled inside.</param>
    /// <param name="data">The data set.</param>
    /// <param name="seed">Of the shuffle.</param>
    public static List<SourceItem> Of(string name, LabelledData data, int seed)
    {
        SourceItem[] items = [.. data.Train];
        new Random(seed).Shuffle(items);
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

        throw new ShoalException(ShoalErrorKind.Invalid, $"The stream '{name}' is unknown; give iid or phases:PxC with P times C = {data.Classes.Length} classes.");
    }
}
