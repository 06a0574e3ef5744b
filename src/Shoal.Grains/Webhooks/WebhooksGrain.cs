using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Webhooks;

/// <summary>Keeps the webhooks of all datasets, and deals them among the gateways, which send the messages.</summary>
/// <remarks>
/// How far one is gets its own object, and not with each message: what was sent since then is sent again after a crash, as the change feed promises it anyway.
/// </remarks>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed partial class WebhooksGrain(IObjectStore store, TimeProvider time, ILogger<WebhooksGrain> logger) : Grain, IWebhooksGrain
{
    /// <summary>The most webhooks of a dataset: each reads the dataset's changes for itself.</summary>
    public const int MostOfDataset = 20;

    /// <summary>The most webhooks of all datasets.</summary>
    public const int Most = 1_000;

    /// <summary>Digits of an id.</summary>
    private const int IdLength = 16;

    private const int SecretBytes = 32;

    /// <summary>Places within the part of a wait that is by chance.</summary>
    private const int Chances = 1_000;

    /// <summary>How far webhooks are is stored so often where all goes well.</summary>
    private static readonly TimeSpan KeepEvery = TimeSpan.FromSeconds(5);

    private readonly StoredDocument<WebhookList> _list = new(store, StoreNames.Webhooks);
    private readonly Dictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private readonly GatewayDeal _deal = new(time);

    private StoredWebhook[] All => _list.Value?.Webhooks ?? [];

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await _list.LoadAsync();
        foreach (StoredWebhook webhook in All)
        {
            var kept = new Kept(store, webhook);
            await kept.Document.LoadAsync();
            kept.Progress = kept.Document.Value ?? kept.Progress;
            _kept[webhook.Id] = kept;
        }

        this.RegisterGrainTimer(KeepAllAsync, new GrainTimerCreationOptions(KeepEvery, KeepEvery)
        {
            KeepAlive = true,
        });
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => KeepAllAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<Webhook> CreateAsync(string dataset, NewWebhook wanted, string id, byte[] secret)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.Problems() is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        if (id is not { Length: IdLength } || !id.All(char.IsAsciiHexDigitLower) || secret is not { Length: SecretBytes })
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"A webhook has an id of {IdLength} digits of 0-9 and a-f, and a secret of {SecretBytes} bytes.");
        }

        if (_kept.TryGetValue(id, out Kept? known))
        {
            return string.Equals(known.Webhook.Dataset, dataset, StringComparison.Ordinal) && secret.AsSpan().SequenceEqual(known.Webhook.Secret)
                ? known.Told()
                : throw new ShoalException(ShoalErrorKind.Conflict, $"Another webhook has the id {id}; make a new one.");
        }

        // Asked, so that one of no dataset is an error now and not a message that never comes.
        await GrainFactory.GetGrain<IDatasetGrain>(dataset).GetSettingsAsync();
        if (All.Length >= Most || All.Count(other => string.Equals(other.Dataset, dataset, StringComparison.Ordinal)) >= MostOfDataset)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"There are as many webhooks as are kept, {MostOfDataset} of a dataset and {Most:N0} of all; remove one that nobody reads.");
        }

        var webhook = new StoredWebhook(id, dataset, wanted.Url, wanted.Topics, wanted.After, time.GetUtcNow(), secret);
        await SaveAsync([.. All, webhook]);
        _kept[id] = new Kept(store, webhook);
        LogCreated(id, dataset, Host(webhook));
        return _kept[id].Told();
    }

    /// <inheritdoc/>
    public Task<Webhook[]> ListAsync(string dataset) =>
        Task.FromResult(All.Where(webhook => string.Equals(webhook.Dataset, dataset, StringComparison.Ordinal)).Select(webhook => _kept[webhook.Id].Told()).ToArray());

    /// <inheritdoc/>
    public async Task RemoveAsync(string dataset, string id)
    {
        Kept gone = Find(dataset, id);
        await RemoveAsync(webhook => string.Equals(webhook.Id, id, StringComparison.Ordinal));
        LogRemoved(id, dataset, Host(gone.Webhook));
    }

    /// <inheritdoc/>
    public Task<Webhook> ResumeAsync(string dataset, string id)
    {
        Kept kept = Find(dataset, id);
        kept.Change(kept.Progress with
        {
            FailingSince = null,
            RetryAt = null,
            Stopped = false,
        });
        return Task.FromResult(kept.Told());
    }

    /// <inheritdoc/>
    public Task ForgetAsync(string dataset) => RemoveAsync(webhook => string.Equals(webhook.Dataset, dataset, StringComparison.Ordinal));

    /// <inheritdoc/>
    public Task<WebhookWork[]> ClaimAsync(string gateway)
    {
        _deal.See(gateway);
        return Task.FromResult(All
            .Where(webhook => string.Equals(_deal.Of(webhook.Id), gateway, StringComparison.Ordinal))
            .Select(webhook => new WebhookWork(_kept[webhook.Id].Told(), webhook.Secret))
            .ToArray());
    }

    /// <inheritdoc/>
    public async Task<WebhookProgress?> ReportAsync(WebhookReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (!_kept.TryGetValue(report.Webhook, out Kept? kept) || !string.Equals(kept.Progress.Cursor, report.From, StringComparison.Ordinal))
        {
            return null;
        }

        bool stopped = kept.Progress.Stopped;
        kept.Change(Deliveries.After(kept.Progress, report, time.GetUtcNow(), RandomNumberGenerator.GetInt32(Chances) / (double)Chances));
        if (kept.Progress.Stopped && !stopped)
        {
            LogStopped(report.Webhook, kept.Webhook.Dataset, Host(kept.Webhook), report.Problem);
            await KeepAsync(kept);
        }

        return kept.Progress;
    }

    private Kept Find(string dataset, string id) =>
        _kept.TryGetValue(id, out Kept? kept) && string.Equals(kept.Webhook.Dataset, dataset, StringComparison.Ordinal)
            ? kept
            : throw new ShoalException(ShoalErrorKind.NotFound, $"The dataset '{dataset}' has no webhook '{id}'; see them with: shoal webhook list {dataset}");

    private async Task RemoveAsync(Predicate<StoredWebhook> which)
    {
        StoredWebhook[] gone = Array.FindAll(All, which);
        if (gone.Length == 0)
        {
            return;
        }

        await SaveAsync(Array.FindAll(All, webhook => !which(webhook)));
        foreach (StoredWebhook webhook in gone)
        {
            if (_kept.Remove(webhook.Id, out Kept? kept))
            {
                await kept.Document.DeleteAsync();
            }
        }
    }

    private Task SaveAsync(StoredWebhook[] webhooks) => this.SaveAsync(_list, new WebhookList(webhooks), "the list of webhooks");

    private async Task KeepAllAsync(CancellationToken cancellationToken)
    {
        foreach (Kept kept in _kept.Values.Where(kept => kept.IsChanged).ToArray())
        {
            // A store that is away would have gateways wait for the whole list.
            if (!await KeepAsync(kept))
            {
                return;
            }
        }
    }

    // Not kept: it is tried again with the next message, and until then more is sent again after a crash.
    private async Task<bool> KeepAsync(Kept kept)
    {
        WebhookProgress progress = kept.Progress;
        try
        {
            await kept.Document.SaveAsync(progress);
            kept.IsChanged = !ReferenceEquals(progress, kept.Progress);
            return true;
        }
        catch (StorageUnavailableException away)
        {
            LogNotKept(kept.Webhook.Id, away.Message);
            return false;
        }
        catch (ObjectConflictException other)
        {
            LogNotKept(kept.Webhook.Id, other.Message);
            DeactivateOnIdle();
            return false;
        }
    }

    // The path of an address is often a password.
    private static string Host(StoredWebhook webhook) => new Uri(webhook.Url).Authority;

    [LoggerMessage(EventId = 7000, EventName = "WebhookCreated", Level = LogLevel.Information, Message = "Webhook {Webhook} of dataset {Dataset} to {Host} was created")]
    private partial void LogCreated(string webhook, string dataset, string host);

    [LoggerMessage(EventId = 7001, EventName = "WebhookRemoved", Level = LogLevel.Information, Message = "Webhook {Webhook} of dataset {Dataset} to {Host} was removed")]
    private partial void LogRemoved(string webhook, string dataset, string host);

    [LoggerMessage(EventId = 7002, EventName = "WebhookStopped", Level = LogLevel.Warning, Message = "Webhook {Webhook} of dataset {Dataset} to {Host} is stopped until somebody resumes it: {Problem}")]
    private partial void LogStopped(string webhook, string dataset, string host, string? problem);

    [LoggerMessage(EventId = 7003, EventName = "WebhookNotKept", Level = LogLevel.Warning, Message = "How far webhook {Webhook} is was not stored: {Why}")]
    private partial void LogNotKept(string webhook, string why);

    private sealed record StoredWebhook(string Id, string Dataset, string Url, string[] Topics, string? After, DateTimeOffset CreatedAt, byte[] Secret);

    private sealed record WebhookList(StoredWebhook[] Webhooks);

    private sealed class Kept(IObjectStore store, StoredWebhook webhook)
    {
        public StoredWebhook Webhook { get; } = webhook;

        public StoredDocument<WebhookProgress> Document { get; } = new(store, StoreNames.WebhookProgress(webhook.Id));

        public WebhookProgress Progress { get; set; } = new()
        {
            Cursor = webhook.After,
        };

        public bool IsChanged { get; set; }

        public void Change(WebhookProgress progress)
        {
            Progress = progress;
            IsChanged = true;
        }

        public Webhook Told() => new()
        {
            Id = Webhook.Id,
            Dataset = Webhook.Dataset,
            Url = Webhook.Url,
            Topics = Webhook.Topics,
            CreatedAt = Webhook.CreatedAt,
            Progress = Progress,
        };
    }
}
