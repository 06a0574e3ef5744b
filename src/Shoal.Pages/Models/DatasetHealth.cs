using Shoal.Contracts;

namespace Shoal.Pages.Models;

/// <summary>How bad something is.</summary>
public enum AlarmLevel
{
    /// <summary>Worth knowing.</summary>
    Note,

    /// <summary>It should be looked at.</summary>
    Warning,

    /// <summary>Something does not work.</summary>
    Error,
}

/// <summary>Something about a dataset that a person should know.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Text">What it is, in a sentence.</param>
public sealed record Alarm(AlarmLevel Level, string Text);

/// <summary>Judges how a dataset does by its status and its events.</summary>
public static class DatasetHealth
{
    /// <summary>Assignments older than this are stale: refresh takes a minute or two for a hundred thousand items.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(10);

    /// <summary>More undecodable items than this are a producer's mistake, not a torn file.</summary>
    public const double QuarantinedShare = 0.05;

    /// <summary>Lists what is wrong, the worst first; empty when all is well.</summary>
    /// <param name="status">The dataset.</param>
    /// <param name="events">Its newest events, newest first.</param>
    public static IReadOnlyList<Alarm> Of(DatasetStatus status, IReadOnlyList<LineageEvent> events)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(events);
        DatasetTotals totals = DatasetTotals.Of(status);
        Alarm?[] found =
        [
            .. status.Shards.Where(shard => shard.Problem is not null).Select(shard => new Alarm(AlarmLevel.Error, $"Shard {shard.Shard}: {shard.Problem}")),
            Refused(events),
            status.Training.Problem is { } problem ? new Alarm(AlarmLevel.Warning, $"Training: {problem}") : null,
            Stale(status, totals),
            totals.Quarantined > QuarantinedShare * totals.Items
                ? new Alarm(AlarmLevel.Warning, $"{Texts.Share((double)totals.Quarantined / totals.Items)} of the items cannot be decoded.")
                : null,
            status.Settings.Paused ? new Alarm(AlarmLevel.Note, "Training is paused.") : null,
        ];
        return [.. found.OfType<Alarm>().OrderByDescending(alarm => alarm.Level)];
    }

    // A refused candidate collapsed, or became worse; the alarm stands until a version is published.
    private static Alarm? Refused(IReadOnlyList<LineageEvent> events)
    {
        LineageEvent? last = events.FirstOrDefault(happened => happened.Kind is "refused" or "published" or "rolled back");
        return last is { Kind: "refused" } ? new Alarm(AlarmLevel.Error, $"The last model was refused: {last.Reason}") : null;
    }

    private static Alarm? Stale(DatasetStatus status, DatasetTotals totals)
    {
        long old = status.Shards.SelectMany(shard => shard.StaleItems).Where(stale => stale.SecondsBehind > StaleAfter.TotalSeconds).Sum(stale => stale.Items);
        return old > 0 && totals.Assigned > 0
            ? new Alarm(AlarmLevel.Warning, $"{Texts.Count(old)} assignments are of versions that were replaced more than {Texts.Duration(StaleAfter)} ago.")
            : null;
    }
}
