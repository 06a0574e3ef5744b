using Shoal.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Rendering;

/// <summary>Turns keys of the HTTP API and webhooks into what a terminal of 80 columns shows.</summary>
public static class AccessViews
{
    /// <summary>Keys, one a line.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="now">The time, by which keys have ended.</param>
    public static IRenderable Keys(IReadOnlyList<AccessKey> keys, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (keys.Count == 0)
        {
            return new Text("No keys yet; create one with: shoal key create NAME --scope read");
        }

        Table table = ShoalViews.NewTable().AddColumn("key").AddColumn("name").AddColumn("scopes").AddColumn("datasets").AddColumn("ends (UTC)");
        foreach (AccessKey key in keys)
        {
            table.AddRow(
                new Text(key.Prefix),
                new Text(key.Name),
                new Text(string.Join(' ', key.Scopes)),
                new Text(key.Datasets.Length == 0 ? "every one" : string.Join(' ', key.Datasets)),
                new Text(key.ExpiresAt is { } end ? $"{end:yyyy-MM-dd HH:mm}{(end <= now ? ", over" : string.Empty)}" : "-"));
        }

        return table;
    }

    /// <summary>Webhooks, one a line, with why messages do not arrive below.</summary>
    /// <param name="webhooks">The webhooks.</param>
    public static IRenderable Webhooks(IReadOnlyList<Webhook> webhooks)
    {
        ArgumentNullException.ThrowIfNull(webhooks);
        if (webhooks.Count == 0)
        {
            return new Text("No webhooks yet; create one with: shoal webhook add NAME URL");
        }

        Table table = ShoalViews.NewTable().AddColumn("webhook").AddColumn("url").AddColumn("topics").AddColumn("taken").AddColumn("last (UTC)").AddColumn("state");
        foreach (Webhook webhook in webhooks)
        {
            WebhookProgress progress = webhook.Progress;
            table.AddRow(
                new Text(webhook.Id),
                new Text(webhook.Url),
                new Text(string.Join(' ', webhook.Topics)),
                new Text($"{progress.Delivered}"),
                new Text(progress.DeliveredAt is { } at ? $"{at:yyyy-MM-dd HH:mm}" : "-"),
                new Text(progress.Stopped ? "stopped" : progress.Problem is null ? "well" : $"failed {progress.Failures}"));
        }

        return new Rows([table, .. webhooks.Where(webhook => webhook.Progress.Problem is not null).Select(webhook => new Text($"{webhook.Id}: {webhook.Progress.Problem}"))]);
    }
}
