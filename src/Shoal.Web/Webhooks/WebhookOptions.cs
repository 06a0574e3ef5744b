using System.Net;

namespace Shoal.Web;

/// <summary>Where this gateway posts the messages of webhooks to.</summary>
public sealed record WebhookOptions
{
    /// <summary>
    /// Networks that messages may go to beside the public Internet, over plain HTTP, too; for example 10.0.0.0/8. Default none: who may create a webhook could else
    /// have this silo talk to what only it reaches.
    /// </summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    /// <summary>How long a receiver may take to answer. Default 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often this gateway asks which webhooks are its own. Default 3 s: it loses them when it does not for 10 s.</summary>
    public TimeSpan Claim { get; init; } = TimeSpan.FromSeconds(3);
}
