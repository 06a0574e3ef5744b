using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Messaging;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Opens an Orleans client to the silos that the options name.</summary>
internal static class Connection
{
    /// <summary>The pause between two attempts: short beside the seconds that a silo takes to start.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>How many calls to a gateway that answers a connection begins with, at most.</summary>
    private const int FirstCalls = 3;

    public static async Task<ShoalClient> OpenAsync(ShoalClientOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        ClusterCertificates? certificates = options.Certificates is { } folder ? ClusterCertificates.Load(folder) : null;
        var gateways = new ClusterGateways(await ResolveAsync(options.Gateways, cancellationToken));
        long begun = options.Time.GetTimestamp();

        // No logging provider is registered: an SDK does not write to its caller's console.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleansClient(client =>
        {
            client.Services.AddSingleton<IGatewayListProvider>(gateways);
            client.Configure<GatewayOptions>(gateway => gateway.GatewayListRefreshPeriod = ClusterGateways.Refresh);
            client.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = options.ClusterId;
                cluster.ServiceId = options.ServiceId;
            });
            client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = options.ResponseTimeout);
            client.AddShoalStreams();
            if (certificates is not null)
            {
                client.UseTls(certificates.Apply);
            }

            client.UseConnectionRetryFilter(async (_, token) =>
            {
                if (options.Time.GetElapsedTime(begun) + Pause >= options.ConnectTimeout)
                {
                    return false;
                }

                await Task.Delay(Pause, options.Time, token);
                return true;
            });
        });

        // Orleans' client waits for ever for what a gateway tells first, when that dies just after it took the connection.
        using var patience = new CancellationTokenSource(options.ConnectTimeout + (FirstCalls * options.ResponseTimeout), options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        IHost host = builder.Build();
        try
        {
            await host.StartAsync(either.Token);
            var cluster = host.Services.GetRequiredService<IClusterClient>();
            gateways.Connected(cluster);
            return new ShoalClient(cluster, options, host);
        }
        catch (Exception failure) when (failure is OrleansException or SocketException or TimeoutException or IOException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            host.Dispose();
            throw new ShoalException(
                ShoalErrorKind.Unavailable,
                $"No silo answers at {string.Join(", ", options.Gateways)}. Start one with './shoal serve', or name another with --silo HOST:PORT.",
                failure);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private static async Task<IPEndPoint[]> ResolveAsync(IReadOnlyList<string> gateways, CancellationToken cancellationToken)
    {
        var found = new List<IPEndPoint>();
        foreach (string gateway in gateways)
        {
            DnsEndPoint name = ShoalClientOptions.SplitGateway(gateway)!;
            try
            {
                // A silo listens on one address; IPv4 first, since that is what one advertises unless told otherwise.
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(name.Host, cancellationToken);
                IPAddress address = Array.Find(addresses, a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
                found.Add(new IPEndPoint(address, name.Port));
            }
            catch (SocketException failure)
            {
                throw new ShoalException(ShoalErrorKind.Unavailable, $"The silo's host name '{name.Host}' cannot be resolved; check --silo.", failure);
            }
        }

        return [.. found];
    }
}
