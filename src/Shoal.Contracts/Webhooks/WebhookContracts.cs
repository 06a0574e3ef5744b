namespace Shoal.Contracts;

/// <summary>What a webhook may be told of.</summary>
public static class WebhookTopics
{
    /// <summary>Items that got a cluster, changed theirs, became outliers, were quarantined or deleted.</summary>
    public const string Items = "items";

    /// <summary>What happened to clusters, versions and the stream.</summary>
    public const string Events = "events";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Items, Events];
}

/// <summary>A webhook to create: an address that the change feed of a dataset is sent to.</summary>
[GenerateSerializer, Immutable, Alias("shoal.new-webhook")]
public sealed record NewWebhook
{
    /// <summary>Longest address, in characters.</summary>
    public const int MaxUrlLength = 2_000;

    /// <summary>Where messages are posted to: <c>https</c>, or <c>http</c> where gateways allow the network it is in.</summary>
    [Id(0)] public required string Url { get; init; }

    /// <summary>What it is told of: of <see cref="WebhookTopics"/>, at least one. Default all.</summary>
    [Id(1)] public string[] Topics { get; init; } = [.. WebhookTopics.All];

    /// <summary>The cursor of the change feed that it begins behind: <c>end</c>, which is the default, for what comes from now on; null to be told of all items first.</summary>
    [Id(2)] public string? After { get; init; } = "end";

    /// <summary>Lists what is wrong; empty when all is fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Url is not { Length: > 0 and <= MaxUrlLength } || !Uri.TryCreate(Url, UriKind.Absolute, out Uri? url) || !IsHttp(url))
        {
            problems.Add($"The webhook's url must be an https address of at most {MaxUrlLength:N0} characters, for example https://hooks.example.org/shoal.");
        }
        else if (url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            problems.Add("The webhook's url must have neither a user nor a fragment; messages are signed, so that no password is needed.");
        }

        if (Topics is not { Length: > 0 } || Topics.Except(WebhookTopics.All, StringComparer.Ordinal).Any())
        {
            problems.Add($"A webhook needs topics, each of: {string.Join(", ", WebhookTopics.All)}.");
        }

        return problems;
    }

    private static bool IsHttp(Uri url) => string.Equals(url.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal) || string.Equals(url.Scheme, Uri.UriSchemeHttp, StringComparison.Ordinal);
}

/// <summary>A webhook and how it fares, without its secret.</summary>
[GenerateSerializer, Immutable, Alias("shoal.webhook")]
public sealed record Webhook
{
    /// <summary>Its id: 16 hexadecimal digits.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The dataset whose changes it is told of.</summary>
    [Id(1)] public required string Dataset { get; init; }

    /// <summary>Where messages are posted to.</summary>
    [Id(2)] public required string Url { get; init; }

    /// <summary>What it is told of: of <see cref="WebhookTopics"/>.</summary>
    [Id(3)] public required string[] Topics { get; init; }

    /// <summary>When it was created.</summary>
    [Id(4)] public DateTimeOffset CreatedAt { get; init; }

    /// <summary>How it fares.</summary>
    [Id(5)] public required WebhookProgress Progress { get; init; }
}

/// <summary>How far a webhook is, and whether messages arrive.</summary>
[GenerateSerializer, Immutable, Alias("shoal.webhook-progress")]
public sealed record WebhookProgress
{
    /// <summary>The cursor of the change feed behind what was taken; null when nothing was, and the feed is read from its start.</summary>
    [Id(0)] public string? Cursor { get; init; }

    /// <summary>Messages that were taken.</summary>
    [Id(1)] public long Delivered { get; init; }

    /// <summary>When the last one was.</summary>
    [Id(2)] public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>Tries that failed since then.</summary>
    [Id(3)] public int Failures { get; init; }

    /// <summary>When the first of them failed.</summary>
    [Id(4)] public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Why the last try failed; null when it did not.</summary>
    [Id(5)] public string? Problem { get; init; }

    /// <summary>When it is tried again; null when nothing waits.</summary>
    [Id(6)] public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Whether nothing is sent any more until somebody resumes it.</summary>
    [Id(7)] public bool Stopped { get; init; }
}

/// <summary>A webhook with what a gateway needs to send its messages.</summary>
/// <param name="Webhook">The webhook.</param>
/// <param name="Secret">The key that messages are signed with, 32 bytes.</param>
[GenerateSerializer, Immutable, Alias("shoal.webhook-work")]
public sealed record WebhookWork([property: Id(0)] Webhook Webhook, [property: Id(1)] byte[] Secret);

/// <summary>How one message fared.</summary>
[GenerateSerializer, Immutable, Alias("shoal.webhook-report")]
public sealed record WebhookReport
{
    /// <summary>The webhook's id.</summary>
    [Id(0)] public required string Webhook { get; init; }

    /// <summary>The cursor that the message began behind.</summary>
    [Id(1)] public string? From { get; init; }

    /// <summary>The cursor behind the message; as <see cref="From"/> when it was not taken.</summary>
    [Id(2)] public string? To { get; init; }

    /// <summary>Whether a message was sent: changes that a webhook is not told of move it on without one.</summary>
    [Id(3)] public bool Sent { get; init; }

    /// <summary>Why the message was not taken; null when it was.</summary>
    [Id(4)] public string? Problem { get; init; }

    /// <summary>Whether the receiver said that it is gone for good.</summary>
    [Id(5)] public bool Gone { get; init; }

    /// <summary>Seconds that the receiver asked to wait; null when it did not.</summary>
    [Id(6)] public double? RetryAfter { get; init; }
}

/// <summary>All webhooks: which there are, how far each is, and which gateway sends whose messages. Key: <see cref="GrainKeys.Webhooks"/>.</summary>
[Alias("shoal.webhooks")]
public interface IWebhooksGrain : IGrainWithStringKey
{
    /// <summary>Stores a webhook. Repeating it is a no-op that answers the same one.</summary>
    /// <param name="dataset">The dataset, which must exist.</param>
    /// <param name="wanted">What it shall be.</param>
    /// <param name="id">Its id: 16 of 0-9 and a-f.</param>
    /// <param name="secret">What its messages are signed with, 32 bytes.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Conflict (as many as are kept), Unavailable.</exception>
    [Alias("create")]
    Task<Webhook> CreateAsync(string dataset, NewWebhook wanted, string id, byte[] secret);

    /// <summary>A dataset's webhooks, in the order in which they were created.</summary>
    /// <param name="dataset">The dataset's name.</param>
    [Alias("list")]
    Task<Webhook[]> ListAsync(string dataset);

    /// <summary>Takes a webhook out of the list; a message that is under way may still arrive.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">Its id.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    [Alias("remove")]
    Task RemoveAsync(string dataset, string id);

    /// <summary>Tries at once what waits, of one that stopped, too.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">Its id.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    [Alias("resume")]
    Task<Webhook> ResumeAsync(string dataset, string id);

    /// <summary>Takes all webhooks of a dataset out: it is deleted.</summary>
    /// <param name="dataset">The dataset's name.</param>
    [Alias("forget")]
    Task ForgetAsync(string dataset);

    /// <summary>The webhooks whose messages a gateway sends from now on. It asks every few seconds; the webhooks of one that does not are others'.</summary>
    /// <param name="gateway">The gateway, as no other is called.</param>
    [Alias("claim")]
    Task<WebhookWork[]> ClaimAsync(string gateway);

    /// <summary>Says how a message fared.</summary>
    /// <param name="report">How.</param>
    /// <returns>How the webhook fares now; null when there is none any more, or it is elsewhere in the feed, because another gateway sends its messages.</returns>
    [Alias("report")]
    Task<WebhookProgress?> ReportAsync(WebhookReport report);
}
