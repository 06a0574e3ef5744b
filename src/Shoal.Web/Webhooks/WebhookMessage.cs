using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>What a webhook is sent, as the Standard Webhooks specification says (https://www.standardwebhooks.com): <c>type</c>, <c>timestamp</c>, <c>data</c>.</summary>
/// <param name="Type">The kind: <c>changes</c>, or <c>ready</c> for the first one, which tells that the webhook is there.</param>
/// <param name="Timestamp">When it was made.</param>
/// <param name="Data">What it tells.</param>
public sealed record WebhookMessage(string Type, DateTimeOffset Timestamp, WebhookData Data)
{
    /// <summary>Tells that the webhook is there.</summary>
    public const string Ready = "ready";

    /// <summary>Tells what changed.</summary>
    public const string Changed = "changes";
}

/// <summary>What a message tells.</summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Webhook">The webhook's id.</param>
/// <param name="Changes">What changed, in the form and order of the change feed.</param>
/// <param name="Cursor">The cursor behind it, for the change feed.</param>
public sealed record WebhookData(string Dataset, string Webhook, IReadOnlyList<Change> Changes, string? Cursor);

/// <summary>A message, made ready to be sent as often as it takes.</summary>
/// <param name="Id">Its id, the same each time that it is sent.</param>
/// <param name="Body">Its body, JSON.</param>
internal sealed record Posting(string Id, byte[] Body)
{
    /// <summary>Makes one.</summary>
    /// <param name="message">What it says.</param>
    /// <param name="from">The cursor that it begins behind.</param>
    public static Posting Of(WebhookMessage message, string? from)
    {
        byte[] place = SHA256.HashData(Encoding.UTF8.GetBytes($"{message.Data.Webhook}\n{message.Type}\n{from}\n{message.Data.Cursor}"));
        return new Posting($"msg_{Convert.ToHexStringLower(place.AsSpan(0, 16))}", JsonSerializer.SerializeToUtf8Bytes(message, ShoalJson.Options));
    }

    /// <summary>The signature: HMAC-SHA-256 over id, second and body, so that none of them is another's.</summary>
    /// <param name="secret">The webhook's secret.</param>
    /// <param name="at">When it is sent.</param>
    public string Sign(byte[] secret, DateTimeOffset at)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{Id}.{Seconds(at)}."), .. Body];
        return $"v1,{Convert.ToBase64String(HMACSHA256.HashData(secret, signed))}";
    }

    /// <summary>Seconds since 1970, as the header has them.</summary>
    /// <param name="at">The time.</param>
    public static string Seconds(DateTimeOffset at) => at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
