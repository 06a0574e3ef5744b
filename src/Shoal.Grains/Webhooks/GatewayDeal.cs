using System.IO.Hashing;
using System.Text;

namespace Shoal.Grains.Webhooks;

/// <summary>Which gateway sends a webhook's messages: by the highest hash of both (rendezvous hashing), so that one that comes or goes moves only what it must.</summary>
/// <param name="time">The clock.</param>
internal sealed class GatewayDeal(TimeProvider time)
{
    /// <summary>A gateway that has not asked for so long has no webhooks any more. It asks three times in that.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, long> _asked = new(StringComparer.Ordinal);

    /// <summary>Says that a gateway is there, and forgets those that are not.</summary>
    /// <param name="gateway">The gateway.</param>
    public void See(string gateway)
    {
        _asked[gateway] = time.GetTimestamp();
        foreach (string gone in _asked.Where(known => time.GetElapsedTime(known.Value) >= Lease).Select(known => known.Key).ToArray())
        {
            _asked.Remove(gone);
        }
    }

    /// <summary>Whose a webhook is; null where no gateway is known.</summary>
    /// <param name="webhook">The webhook's id.</param>
    public string? Of(string webhook) => _asked.Keys.MaxBy(gateway => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{webhook} {gateway}")));
}
