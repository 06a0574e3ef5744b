using Shoal.Contracts;

namespace Shoal.Grains.Webhooks;

/// <summary>What becomes of a webhook by how its messages fare.</summary>
internal static class Deliveries
{
    /// <summary>The longest wait between two tries: a receiver that is back is found within a quarter of an hour.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    /// <summary>The longest wait that a receiver may ask for.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromHours(1);

    /// <summary>After failing for so long it is stopped: over a weekend nobody may be there to mend a receiver.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(4);

    /// <summary>Doublings until the wait is the longest: 2^10 s are more than a quarter of an hour.</summary>
    private const int MostDoublings = 10;

    /// <summary>How a webhook fares after a report.</summary>
    /// <param name="before">How it did before.</param>
    /// <param name="report">What happened.</param>
    /// <param name="now">When.</param>
    /// <param name="jitter">0 to 1: receivers of many webhooks that come back must not get all messages in one second.</param>
    public static WebhookProgress After(WebhookProgress before, WebhookReport report, DateTimeOffset now, double jitter)
    {
        if (report.Problem is null)
        {
            return new WebhookProgress
            {
                Cursor = report.To,
                Delivered = before.Delivered + (report.Sent ? 1 : 0),
                DeliveredAt = report.Sent ? now : before.DeliveredAt,
            };
        }

        DateTimeOffset since = before.FailingSince ?? now;
        bool stopped = report.Gone || now - since > Patience;
        return before with
        {
            Failures = before.Failures + 1,
            FailingSince = since,
            Problem = report.Problem,
            RetryAt = stopped ? null : now + Wait(before.Failures, report.RetryAfter, jitter),
            Stopped = stopped,
        };
    }

    // Half of it for sure, the rest by chance.
    private static TimeSpan Wait(int failures, double? asked, double jitter)
    {
        double seconds = Math.Min(Math.Pow(2, Math.Min(failures, MostDoublings)), LongestWait.TotalSeconds) * (0.5 + (0.5 * jitter));
        return TimeSpan.FromSeconds(Math.Max(seconds, Math.Clamp(asked ?? 0, 0, LongestAsked.TotalSeconds)));
    }
}
