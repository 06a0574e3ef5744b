using Shoal.Contracts;

namespace Shoal.Grains.Training;

/// <summary>Keeps what was skipped as few ranges: one for each time that training could not follow.</summary>
internal static class SkippedRanges
{
    /// <summary>The most ranges kept; beyond that those of a shard become one.</summary>
    public const int Most = 1_024;

    // Between two parts that were skipped, one slice was read.
    private const long OneTime = 1_024;

    /// <summary>Joins ranges of one shard that belong together.</summary>
    /// <param name="before">Joined before.</param>
    /// <param name="more">Later ones.</param>
    public static SkippedRange[] Joined(SkippedRange[] before, SkippedRange[] more)
    {
        if (more.Length == 0)
        {
            return before;
        }

        SkippedRange[] all = [.. before, .. more];
        SkippedRange[] joined = Joined(all, OneTime);
        return joined.Length <= Most ? joined : Joined(joined, long.MaxValue);
    }

    private static SkippedRange[] Joined(SkippedRange[] ranges, long gap)
    {
        var joined = new List<SkippedRange>();
        foreach (SkippedRange range in ranges.OrderBy(range => range.Shard).ThenBy(range => range.From))
        {
            if (joined.Count > 0 && joined[^1] is var last && last.Shard == range.Shard && range.From - last.To <= gap)
            {
                joined[^1] = last with { To = Math.Max(last.To, range.To), Items = last.Items + range.Items };
            }
            else
            {
                joined.Add(range);
            }
        }

        return [.. joined];
    }
}
