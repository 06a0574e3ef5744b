using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Sends the messages of those webhooks that are this gateway's, each by a run of its own.</summary>
internal sealed partial class WebhookService(ShoalClient client, WebhookOptions options, WebhookSender sender, TimeProvider time, ILoggerFactory logs) : BackgroundService
{
    /// <summary>Without an answer to whose they are for so long, webhooks are taken for others': a little less than their lease.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(9);

    private readonly string _gateway = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
    private readonly Dictionary<string, WebhookRun> _runs = new(StringComparer.Ordinal);
    private readonly ILogger _logger = logs.CreateLogger<WebhookService>();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long claimed = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.Claim, time);
        try
        {
            do
            {
                try
                {
                    long asked = time.GetTimestamp();
                    WebhookWork[] work = await client.ClaimWebhooksAsync(_gateway, stoppingToken);
                    claimed = time.GetTimestamp();
                    await DealAsync(work, asked, stoppingToken);
                }
                catch (ShoalException away)
                {
                    LogAway(away.Message);
                    if (time.GetElapsedTime(claimed) > Lease)
                    {
                        await EndAllAsync();
                    }
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        await EndAllAsync();
    }

    // Ends what is no more this gateway's or was resumed, then begins what is. What ended by itself after the gateway asked is not begun anew: the answer is older than that.
    private async Task DealAsync(WebhookWork[] work, long asked, CancellationToken stoppingToken)
    {
        Dictionary<string, WebhookWork> own = work.Where(of => !of.Webhook.Progress.Stopped).ToDictionary(of => of.Webhook.Id, StringComparer.Ordinal);
        foreach (WebhookRun run in _runs.Values.ToArray())
        {
            if (run.Ended is { } ended ? ended < asked : !own.TryGetValue(run.Id, out WebhookWork? now) || run.IsBehind(now.Webhook.Progress))
            {
                await run.EndAsync();
                _runs.Remove(run.Id);
            }
        }

        foreach (WebhookWork begun in own.Values.Where(of => !_runs.ContainsKey(of.Webhook.Id)))
        {
            _runs[begun.Webhook.Id] = new WebhookRun(client, sender, time, begun, logs.CreateLogger<WebhookRun>(), stoppingToken);
        }
    }

    private async Task EndAllAsync()
    {
        await Task.WhenAll(_runs.Values.Select(run => run.EndAsync()));
        _runs.Clear();
    }

    [LoggerMessage(EventId = 7502, EventName = "WebhooksUnknown", Level = LogLevel.Debug, Message = "Which webhooks are this gateway's is not known now: {Why}")]
    private partial void LogAway(string why);
}
