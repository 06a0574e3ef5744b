using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Sends one webhook's messages, one after the other, until it is stopped, removed, another gateway's, or ended here.</summary>
internal sealed partial class WebhookRun
{
    /// <summary>Changes of a message, about: 60 KB.</summary>
    private const int MessageChanges = 200;

    /// <summary>So long a look at the feed waits for a change.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(20);

    /// <summary>Between tries where the cluster does not answer.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly ShoalClient _client;
    private readonly WebhookSender _sender;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WebhookWork _work;
    private readonly CancellationTokenSource _stop;
    private readonly Task _task;
    private WebhookProgress _at;

    // What is sent until it is taken: the same bytes under the same id each time, whatever else has changed meanwhile.
    private Draft? _draft;

    public WebhookRun(ShoalClient client, WebhookSender sender, TimeProvider time, WebhookWork work, ILogger logger, CancellationToken stoppingToken)
    {
        (_client, _sender, _time, _work, _logger) = (client, sender, time, work, logger);
        _at = work.Webhook.Progress;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        _task = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>The webhook's id.</summary>
    public string Id => Webhook.Id;

    /// <summary>When it ended, as a timestamp; null while it goes on.</summary>
    public long? Ended { get; private set; }

    private Webhook Webhook => _work.Webhook;

    /// <summary>Whether somebody resumed the webhook: what this waits for is over.</summary>
    /// <param name="now">How the webhook fares.</param>
    public bool IsBehind(WebhookProgress now) => now is { Failures: > 0, RetryAt: null } && now != Webhook.Progress;

    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _task;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            WebhookProgress? next = _at;
            while (next is { Stopped: false })
            {
                _at = next;
                next = await NextAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Ended, or the report took too long: it is begun anew if it is still this gateway's.
        }
        finally
        {
            Ended = _time.GetTimestamp();
        }
    }

    private async Task<WebhookProgress?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_at.RetryAt - _time.GetUtcNow() is { } wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, _time, cancellationToken);
            }

            _draft ??= await DraftAsync(cancellationToken);
            return await PostAsync(_draft, cancellationToken);
        }
        catch (ShoalException away)
        {
            // Whatever it is, the feed is asked again: of a dataset that was deleted the webhook is gone, too.
            LogFeed(Id, Webhook.Dataset, away.Message);
            await Task.Delay(Pause, _time, cancellationToken);
            return _at;
        }
    }

    private async Task<Draft> DraftAsync(CancellationToken cancellationToken)
    {
        if (_at.Delivered == 0)
        {
            return Of(WebhookMessage.Ready, [], _at.Cursor);
        }

        ChangePage page = await _client.ChangesAsync(Webhook.Dataset, _at.Cursor, MessageChanges, Look, cancellationToken);
        Change[] told = [.. page.Changes.Where(change => Webhook.Topics.Contains(change.Item is null ? WebhookTopics.Events : WebhookTopics.Items, StringComparer.Ordinal))];
        return told.Length == 0 ? new Draft(null, page.Cursor) : Of(WebhookMessage.Changed, told, page.Cursor);
    }

    private Draft Of(string type, Change[] changes, string? cursor) =>
        new(Posting.Of(new WebhookMessage(type, _time.GetUtcNow(), new WebhookData(Webhook.Dataset, Id, changes, cursor)), _at.Cursor), cursor);

    private async Task<WebhookProgress?> PostAsync(Draft draft, CancellationToken cancellationToken)
    {
        Answer answer = draft.Posting is null ? new Answer(Problem: null) : await _sender.SendAsync(new Uri(Webhook.Url), draft.Posting, _work.Secret, cancellationToken);
        if (answer.Problem is null)
        {
            _draft = null;
            if (draft.Posting is null && string.Equals(draft.Cursor, _at.Cursor, StringComparison.Ordinal))
            {
                return _at;
            }
        }
        else
        {
            LogFailed(Id, Webhook.Dataset, _at.Failures + 1, answer.Problem);
        }

        // What was taken is told even where the silo stops just now, or it would be sent again.
        using var patience = new CancellationTokenSource(Pause, _time);
        return await _client.ReportWebhookAsync(
            new WebhookReport
            {
                Webhook = Id,
                From = _at.Cursor,
                To = answer.Problem is null ? draft.Cursor : _at.Cursor,
                Sent = draft.Posting is not null,
                Problem = answer.Problem,
                Gone = answer.Gone,
                RetryAfter = answer.RetryAfter?.TotalSeconds,
            },
            patience.Token);
    }

    [LoggerMessage(EventId = 7500, EventName = "WebhookFailed", Level = LogLevel.Information, Message = "Webhook {Webhook} of dataset {Dataset}: try {Failures} failed: {Problem}")]
    private partial void LogFailed(string webhook, string dataset, int failures, string problem);

    [LoggerMessage(EventId = 7501, EventName = "WebhookWaits", Level = LogLevel.Debug, Message = "Webhook {Webhook} of dataset {Dataset} waits for the cluster: {Why}")]
    private partial void LogFeed(string webhook, string dataset, string why);

    /// <summary>What is sent next, and where the webhook is when it was taken.</summary>
    /// <param name="Posting">The message; null where there is nothing that the webhook is told of.</param>
    /// <param name="Cursor">The cursor behind it.</param>
    private sealed record Draft(Posting? Posting, string? Cursor);
}
