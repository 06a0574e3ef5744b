using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints when a webhook was removed.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Webhook">The webhook's id.</param>
internal sealed record WebhookRemoved(string Dataset, string Webhook);

/// <summary>Creates, lists, resumes and removes webhooks.</summary>
internal static class WebhookCommands
{
    public static Command Webhook(SharedOptions shared, CliSurroundings surroundings) => new("webhook", "Have what changes posted to an address.")
    {
        Add(shared, surroundings),
        List(shared, surroundings),
        Resume(shared, surroundings),
        Remove(shared, surroundings),
    };

    private static Command Add(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Dataset();
        var url = new Argument<string>("URL") { Description = "Where messages are posted to, https." };
        var topics = new Option<string[]>("--topic") { Description = "What it is told of: items or events; may be repeated. Both unless given." };
        var after = new Option<string>("--after") { Description = "The cursor of the change feed that it begins behind; 'start' to be told of all items first.", DefaultValueFactory = static _ => "end" };
        var command = new Command("add", "Create a webhook, and print its secret: this once.") { name, url, topics, after };
        return Session.Runs(command, shared, surroundings, async (session, parsed, token) =>
        {
            var wanted = new NewWebhook
            {
                Url = parsed.GetValue(url)!,
                After = parsed.GetValue(after) is { } cursor and not "start" ? cursor : null,
            };
            if (parsed.GetValue(topics) is { Length: > 0 } told)
            {
                wanted = wanted with { Topics = [.. told.Distinct(StringComparer.Ordinal)] };
            }

            CreatedWebhook created = await session.Client.CreateWebhookAsync(parsed.GetValue(name)!, wanted, token);
            await session.ShowAsync(created, static made => new Text($"{made.Secret}\nWebhook {made.Webhook.Id}; its secret is shown this once. Its receiver checks with it who sent a message."));
            return ExitCodes.Success;
        });
    }

    private static Command List(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Dataset();
        return Session.Runs(new Command("list", "List a dataset's webhooks and how they fare.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.ListWebhooksAsync(parsed.GetValue(name)!, token), AccessViews.Webhooks);
            return ExitCodes.Success;
        });
    }

    private static Command Resume(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Dataset();
        Argument<string> id = Id();
        return Session.Runs(new Command("resume", "Try at once what waits to be sent again, of one that was stopped, too.") { name, id }, shared, surroundings, async (session, parsed, token) =>
        {
            Webhook webhook = await session.Client.ResumeWebhookAsync(parsed.GetValue(name)!, parsed.GetValue(id)!, token);
            await session.ShowAsync(webhook, static resumed => AccessViews.Webhooks([resumed]));
            return ExitCodes.Success;
        });
    }

    private static Command Remove(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Dataset();
        Argument<string> id = Id();
        return Session.Runs(new Command("remove", "Remove a webhook.") { name, id }, shared, surroundings, async (session, parsed, token) =>
        {
            var removed = new WebhookRemoved(parsed.GetValue(name)!, parsed.GetValue(id)!);
            await session.Client.RemoveWebhookAsync(removed.Dataset, removed.Webhook, token);
            await session.ShowAsync(removed, static gone => new Text($"Webhook {gone.Webhook}: removed."));
            return ExitCodes.Success;
        });
    }

    private static Argument<string> Dataset() => new("NAME") { Description = "The dataset." };

    private static Argument<string> Id() => new("WEBHOOK") { Description = "The webhook's id, as 'webhook list' shows it." };
}
