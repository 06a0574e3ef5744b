using System.Security.Cryptography;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Webhooks: the change feed, posted to an address.</content>
public sealed partial class ShoalClient
{
    private IWebhooksGrain Webhooks => _cluster.GetGrain<IWebhooksGrain>(GrainKeys.Webhooks);

    /// <summary>Creates a webhook: gateways post what changes in a dataset to it, signed as the Standard Webhooks specification says (https://www.standardwebhooks.com).</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="wanted">What it shall be.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The webhook with its secret, which no other call tells: give it to the receiver now.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Conflict (as many as are kept), Unavailable.</exception>
    public async Task<CreatedWebhook> CreateWebhookAsync(string dataset, NewWebhook wanted, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.Problems() is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        // A cursor that is none is found here, and not by messages that never come; and the place behind everything is the one of now.
        ChangePage page = await ChangesAsync(dataset, wanted.After, limit: 1, cancellationToken: cancellationToken);
        if (string.Equals(wanted.After, ChangeCursor.End, StringComparison.Ordinal))
        {
            wanted = wanted with { After = page.Cursor };
        }

        // Made here, so that repeating the call makes no second one.
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        IWebhooksGrain webhooks = Webhooks;
        Webhook webhook = await CallAsync(() => webhooks.CreateAsync(dataset, wanted, id, secret), cancellationToken);
        return new CreatedWebhook(webhook, CreatedWebhook.SecretPrefix + Convert.ToBase64String(secret));
    }

    /// <summary>A dataset's webhooks and how they fare, in the order in which they were created; never their secrets.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Unavailable.</exception>
    public async Task<Webhook[]> ListWebhooksAsync(string dataset, CancellationToken cancellationToken = default)
    {
        await RouteAsync(dataset, cancellationToken);
        IWebhooksGrain webhooks = Webhooks;
        return await CallAsync(() => webhooks.ListAsync(dataset), cancellationToken);
    }

    /// <summary>Removes a webhook; a message that is under way may still arrive.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The webhook's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    public async Task RemoveWebhookAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        IWebhooksGrain webhooks = Webhooks;
        await GoneAsync(() => webhooks.RemoveAsync(dataset, id), cancellationToken);
    }

    /// <summary>Tries at once what waits to be sent again, of a webhook that was stopped, too.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The webhook's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    public Task<Webhook> ResumeWebhookAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        IWebhooksGrain webhooks = Webhooks;
        return CallAsync(() => webhooks.ResumeAsync(dataset, id), cancellationToken);
    }

    /// <summary>The webhooks whose messages a gateway sends until it is told of others.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<WebhookWork[]> ClaimWebhooksAsync(string gateway, CancellationToken cancellationToken = default)
    {
        IWebhooksGrain webhooks = Webhooks;
        return CallAsync(() => webhooks.ClaimAsync(gateway), cancellationToken);
    }

    /// <summary>Says how a webhook's message fared.</summary>
    /// <param name="report">How.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>How the webhook fares now; null when it is another gateway's, or gone.</returns>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<WebhookProgress?> ReportWebhookAsync(WebhookReport report, CancellationToken cancellationToken = default)
    {
        IWebhooksGrain webhooks = Webhooks;
        return CallAsync(() => webhooks.ReportAsync(report), cancellationToken);
    }

    // A call that takes something away and is repeated finds nothing where the try before timed out after it had done its work.
    private async Task GoneAsync(Func<Task> remove, CancellationToken cancellationToken)
    {
        bool tried = false;
        await CallAsync(RemoveAsync, cancellationToken);

        async Task RemoveAsync()
        {
            bool again = tried;
            tried = true;
            try
            {
                await remove();
            }
            catch (ShoalException gone) when (again && gone.Kind == ShoalErrorKind.NotFound)
            {
            }
        }
    }
}

/// <summary>A webhook that was created now. No record: those print what they hold.</summary>
/// <param name="webhook">The webhook.</param>
/// <param name="secret">What its messages are signed with, as text.</param>
public sealed class CreatedWebhook(Webhook webhook, string secret)
{
    /// <summary>What secrets begin with; base64 of the key follows.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>The webhook.</summary>
    public Webhook Webhook { get; } = webhook;

    /// <summary>What its receiver checks signatures with. It cannot be had again.</summary>
    public string Secret { get; } = secret;
}
