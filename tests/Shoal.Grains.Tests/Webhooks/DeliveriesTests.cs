using Microsoft.Extensions.Time.Testing;
using Shoal.Contracts;
using Shoal.Grains.Webhooks;

namespace Shoal.Grains.Tests;

/// <summary>When a webhook is tried again, when it is stopped, and whose it is.</summary>
public sealed class DeliveriesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Waits_double_to_a_quarter_of_an_hour_half_of_them_by_chance()
    {
        var progress = new WebhookProgress { Cursor = "a" };
        foreach (double seconds in new double[] { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900 })
        {
            Assert.Equal(Now.AddSeconds(seconds / 2), Fail(progress, jitter: 0).RetryAt);
            progress = Fail(progress, jitter: 1);
            Assert.Equal((Now.AddSeconds(seconds), "a", "no"), (progress.RetryAt, progress.Cursor, progress.Problem));
        }

        Assert.Equal(12, progress.Failures);
        WebhookProgress taken = Deliveries.After(progress, new WebhookReport { Webhook = "w", From = "a", To = "b", Sent = true }, Now, 0.5);
        Assert.Equal(new WebhookProgress { Cursor = "b", Delivered = 1, DeliveredAt = Now }, taken);
        Assert.Equal(taken with { Cursor = "c" }, Deliveries.After(taken, new WebhookReport { Webhook = "w", From = "b", To = "c" }, Now.AddDays(1), 0.5));
    }

    [Fact]
    public void A_receiver_may_ask_for_more_time_but_not_for_ever()
    {
        Assert.Equal(Now.AddSeconds(120), Fail(new WebhookProgress(), retryAfter: 120).RetryAt);
        Assert.Equal(Now.AddHours(1), Fail(new WebhookProgress(), retryAfter: 1e12).RetryAt);
        Assert.Equal(Now.AddSeconds(1), Fail(new WebhookProgress(), retryAfter: -5).RetryAt);
    }

    [Fact]
    public void It_is_stopped_when_its_receiver_is_gone_or_after_four_days()
    {
        Assert.True(Fail(new WebhookProgress(), gone: true).Stopped);
        var since = new WebhookProgress { Failures = 9, FailingSince = Now - Deliveries.Patience };
        Assert.False(Fail(since).Stopped);
        WebhookProgress stopped = Fail(since with { FailingSince = since.FailingSince - TimeSpan.FromSeconds(1) });
        Assert.Equal((true, null), (stopped.Stopped, stopped.RetryAt));
    }

    [Fact]
    public void Each_webhook_is_one_gateways_and_moves_only_where_it_must()
    {
        var time = new FakeTimeProvider(Now);
        var deal = new GatewayDeal(time);
        string[] webhooks = [.. Enumerable.Range(0, 300).Select(i => $"{i:x16}")];
        Assert.All(webhooks, webhook => Assert.Null(deal.Of(webhook)));
        string[] gateways = ["a", "b", "c"];
        See(gateways);
        string?[] among = [.. webhooks.Select(deal.Of)];
        Assert.All(gateways, gateway => Assert.InRange(among.Count(owner => string.Equals(owner, gateway, StringComparison.Ordinal)), 70, 130));

        time.Advance(GatewayDeal.Lease / 2);
        See("a", "b");
        time.Advance(GatewayDeal.Lease / 2);
        See("a", "b");
        string?[] left = [.. webhooks.Select(deal.Of)];
        Assert.DoesNotContain("c", left);
        Assert.All(among.Zip(left).Where(pair => pair.First is not "c"), static pair => Assert.Equal(pair.First, pair.Second));

        See("c");
        Assert.Equal(among, webhooks.Select(deal.Of));

        void See(params string[] seen)
        {
            foreach (string gateway in seen)
            {
                deal.See(gateway);
            }
        }
    }

    private static WebhookProgress Fail(WebhookProgress before, double jitter = 1, double? retryAfter = null, bool gone = false) =>
        Deliveries.After(before, new WebhookReport { Webhook = "w", Sent = true, Problem = "no", Gone = gone, RetryAfter = retryAfter }, Now, jitter);
}
