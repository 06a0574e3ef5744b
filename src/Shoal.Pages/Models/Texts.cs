using System.Globalization;

namespace Shoal.Pages.Models;

/// <summary>Numbers and times as pages write them.</summary>
public static class Texts
{
    /// <summary>A count, <c>12,345</c>.</summary>
    /// <param name="count">The count.</param>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count of things, <c>1 item</c> or <c>12,345 items</c>.</summary>
    /// <param name="count">The count.</param>
    /// <param name="thing">What one of them is called.</param>
    public static string Count(long count, string thing) => $"{Count(count)} {thing}{(count == 1 ? null : "s")}";

    /// <summary>A rate, <c>0.4/s</c> or <c>1,250/s</c>.</summary>
    /// <param name="perSecond">Per second; NaN where it is not known yet.</param>
    public static string Rate(double perSecond) => double.IsNaN(perSecond) ? "-" : perSecond.ToString(perSecond < 10 ? "0.#" : "N0", CultureInfo.InvariantCulture) + "/s";

    /// <summary>A share, <c>97.8 %</c>.</summary>
    /// <param name="share">0 to 1.</param>
    public static string Share(double share) => (share * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    /// <summary>A number with four digits that count.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value) => double.IsFinite(value) ? value.ToString("0.####", CultureInfo.InvariantCulture) : "not a number";

    /// <summary>A duration in its largest unit, <c>5 min</c>.</summary>
    /// <param name="duration">The duration.</param>
    public static string Duration(TimeSpan duration) => duration.TotalSeconds switch
    {
        < 60 => $"{Math.Max(0, Math.Floor(duration.TotalSeconds)):0} s",
        < 3_600 => $"{Math.Floor(duration.TotalMinutes):0} min",
        < 86_400 => $"{Math.Floor(duration.TotalHours):0} h",
        _ => $"{Math.Floor(duration.TotalDays):0} d",
    };

    /// <summary>A moment, in universal time, as logs have it.</summary>
    /// <param name="moment">The moment.</param>
    public static string Moment(DateTimeOffset moment) => moment.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>What a cluster is called where it has no name.</summary>
    /// <param name="cluster">Its id; null for none.</param>
    /// <param name="name">Its name; null where it has none.</param>
    public static string Cluster(long? cluster, string? name) => cluster is not { } id ? "no cluster"
        : string.IsNullOrEmpty(name) ? $"cluster {id.ToString(CultureInfo.InvariantCulture)}"
        : name;
}
