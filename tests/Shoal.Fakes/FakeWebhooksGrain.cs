using Shoal.Contracts;

namespace Shoal.Fakes;

/// <summary>Webhooks in memory: all are the gateway's that asks, and what fails is tried again as soon as it is asked to be.</summary>
public sealed class FakeWebhooksGrain(FakeStore store) : Grain, IWebhooksGrain
{
    public Task<Webhook> CreateAsync(string dataset, NewWebhook wanted, string id, byte[] secret)
    {
        store.Dataset(dataset);
        var webhook = new Webhook
        {
            Id = id,
            Dataset = dataset,
            Url = wanted.Url,
            Topics = wanted.Topics,
            Progress = new WebhookProgress { Cursor = wanted.After },
        };
        store.Webhooks[id] = new WebhookWork(webhook, secret);
        return Task.FromResult(webhook);
    }

    public Task<Webhook[]> ListAsync(string dataset) => Task.FromResult(store.Webhooks.Values.Select(work => work.Webhook).Where(webhook => string.Equals(webhook.Dataset, dataset, StringComparison.Ordinal)).ToArray());

    public Task RemoveAsync(string dataset, string id)
    {
        Find(dataset, id);
        store.Webhooks.TryRemove(id, out _);
        return Task.CompletedTask;
    }

    public Task<Webhook> ResumeAsync(string dataset, string id)
    {
        WebhookWork work = Find(dataset, id);
        return Task.FromResult(Set(work, work.Webhook.Progress with { RetryAt = null, Stopped = false }));
    }

    public Task ForgetAsync(string dataset)
    {
        foreach (Webhook webhook in store.Webhooks.Values.Select(work => work.Webhook).Where(webhook => string.Equals(webhook.Dataset, dataset, StringComparison.Ordinal)))
        {
            store.Webhooks.TryRemove(webhook.Id, out _);
        }

        return Task.CompletedTask;
    }

    public Task<WebhookWork[]> ClaimAsync(string gateway) => Task.FromResult(store.Webhooks.Values.ToArray());

    public Task<WebhookProgress?> ReportAsync(WebhookReport report)
    {
        if (!store.Webhooks.TryGetValue(report.Webhook, out WebhookWork? work) || !string.Equals(work.Webhook.Progress.Cursor, report.From, StringComparison.Ordinal))
        {
            return Task.FromResult<WebhookProgress?>(null);
        }

        WebhookProgress before = work.Webhook.Progress;
        WebhookProgress after = report.Problem is null
            ? new WebhookProgress { Cursor = report.To, Delivered = before.Delivered + (report.Sent ? 1 : 0) }
            : before with { Failures = before.Failures + 1, Problem = report.Problem, RetryAt = DateTimeOffset.UnixEpoch, Stopped = report.Gone };
        Set(work, after);
        return Task.FromResult<WebhookProgress?>(after);
    }

    private WebhookWork Find(string dataset, string id) => store.Webhooks.TryGetValue(id, out WebhookWork? work) && string.Equals(work.Webhook.Dataset, dataset, StringComparison.Ordinal)
        ? work
        : throw new ShoalException(ShoalErrorKind.NotFound, $"The dataset '{dataset}' has no webhook '{id}'.");

    private Webhook Set(WebhookWork work, WebhookProgress progress)
    {
        WebhookWork changed = work with { Webhook = work.Webhook with { Progress = progress } };
        store.Webhooks[work.Webhook.Id] = changed;
        return changed.Webhook;
    }
}
