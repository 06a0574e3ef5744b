using System.Net;
using Orleans.Messaging;

namespace Shoal.Client;

/// <summary>The gateways that were named, and once one of them answers all that the cluster has: silos that join are used, those that leave are not.</summary>
/// <param name="named">The gateways that were named.</param>
internal sealed class ClusterGateways(IReadOnlyList<IPEndPoint> named) : IGatewayListProvider
{
    /// <summary>How often the cluster is asked.</summary>
    public static readonly TimeSpan Refresh = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private IGrainFactory? _cluster;
    private IPEndPoint[] _members = [];

    /// <inheritdoc/>
    public TimeSpan MaxStaleness => Refresh;

    /// <inheritdoc/>
    public bool IsUpdatable => true;

    /// <summary>From here on the cluster can be asked.</summary>
    /// <param name="cluster">The connected client.</param>
    public void Connected(IGrainFactory cluster) => _cluster = cluster;

    /// <inheritdoc/>
    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<IList<Uri>> GetGateways()
    {
        if (_cluster is { } cluster)
        {
            try
            {
                MembershipEntry[] entries = await cluster.GetGrain<IManagementGrain>(0).GetDetailedHosts(onlyActive: true).WaitAsync(Patience);
                IPEndPoint[] members = [.. entries.Where(e => e.ProxyPort > 0).Select(e => new IPEndPoint(e.SiloAddress.Endpoint.Address, e.ProxyPort))];
                // Through a tunnel or a forwarded port the cluster has addresses that are not reached from here.
                _members = _members.Length > 0 || members.Intersect(named).Any() ? members : [];
            }
            catch (Exception e) when (e is TimeoutException or OrleansException)
            {
                // Whoever is known is tried.
                return Uris(_members.Union(named));
            }
        }

        return Uris(_members.Length > 0 ? _members : named);
    }

    private static List<Uri> Uris(IEnumerable<IPEndPoint> gateways) => [.. gateways.Select(gateway => SiloAddress.New(gateway, 0).ToGatewayUri())];
}
