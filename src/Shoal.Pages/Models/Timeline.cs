using Shoal.Contracts;

namespace Shoal.Pages.Models;

/// <summary>A mark on the time line.</summary>
/// <param name="Happened">What happened.</param>
/// <param name="Place">Where on the line, 0 (oldest) to 1 (newest).</param>
/// <param name="Lane">What it stands for: births, deaths, or the rest.</param>
public sealed record Mark(LineageEvent Happened, double Place, Lane Lane);

/// <summary>Rows of the time line.</summary>
public enum Lane
{
    /// <summary>Clusters that came: born, split from another, restored.</summary>
    Birth,

    /// <summary>Clusters that went: died, merged into another.</summary>
    Death,

    /// <summary>Versions, drift and what users did.</summary>
    Other,
}

/// <summary>Puts events on a time line.</summary>
public static class Timeline
{
    /// <summary>Makes the marks, oldest first.</summary>
    /// <param name="events">The events, newest first.</param>
    public static IReadOnlyList<Mark> Of(IReadOnlyList<LineageEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            return [];
        }

        DateTimeOffset first = events.Min(happened => happened.Time);
        double seconds = (events.Max(happened => happened.Time) - first).TotalSeconds;
        return [.. events.Reverse().Select(happened => new Mark(happened, seconds > 0 ? (happened.Time - first).TotalSeconds / seconds : 1, LaneOf(happened.Kind)))];
    }

    private static Lane LaneOf(string kind) => kind switch
    {
        "born" or "split" or "restored" or "unmerged" => Lane.Birth,
        "died" or "merged" => Lane.Death,
        _ => Lane.Other,
    };
}
