using System.Net;
using System.Net.Sockets;

namespace Shoal.Web;

/// <summary>
/// Which addresses messages may go to. What counts is the address that is connected to, and not what a name meant when somebody looked:
/// names are resolved here, and what was looked at is what is used.
/// </summary>
/// <param name="options">Networks that are allowed beside the public Internet.</param>
internal sealed class WebhookTargets(WebhookOptions options)
{
    // Special purposes by IANA's registries (RFC 6890 and those after it): loopback, private, link-local with the metadata of clouds, shared, benchmarks, documentation, multicast, reserved.
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            // Protocols' own, tunnels that hide an IPv4 address, and documentation; all else that is special lies outside of 2000::/3.
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork PublicIPv6 = IPNetwork.Parse("2000::/3");

    /// <summary>Why nothing is sent to an address as it is written; null when only its name's addresses can tell.</summary>
    /// <param name="url">Where a webhook is to post to.</param>
    public string? Problem(Uri url)
    {
        IPAddress? literal = IPAddress.TryParse(url.DnsSafeHost, out IPAddress? address) ? address : null;
        return literal is null ? null : Problem(url.DnsSafeHost, literal, IsTls(url));
    }

    /// <summary>Connects to a host that messages may go to.</summary>
    /// <param name="context">What is asked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="WebhookRefusedException">Messages may not go there.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string host = context.DnsEndPoint.Host;
        bool tls = IsTls(context.InitialRequestMessage.RequestUri!);
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);

        // One that may not be used spoils all: an attacker's name has a good one beside it.
        foreach (IPAddress address in addresses)
        {
            if (Problem(host, address, tls) is { } problem)
            {
                throw new WebhookRefusedException(problem);
            }
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
        };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsTls(Uri url) => string.Equals(url.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);

    private static bool IsPublic(IPAddress address) =>
        (address.AddressFamily is AddressFamily.InterNetwork || PublicIPv6.Contains(address)) && !Array.Exists(Special, network => network.Contains(address));

    private string? Problem(string host, IPAddress address, bool tls)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (options.Networks.Any(network => network.Contains(plain)))
        {
            return null;
        }

        return !IsPublic(plain)
            ? $"'{host}' is {plain}, which is not on the public Internet. Where messages may go there, start the gateways with its network: --webhook-networks {Around(plain)}"
            : tls ? null : $"To '{host}' messages go over https alone.";
    }

    private static string Around(IPAddress address) => address.AddressFamily is AddressFamily.InterNetwork ? $"{address}/32" : $"{address}/128";
}

/// <summary>Messages of a webhook may not go where it wants them.</summary>
/// <param name="message">Why, and what to do.</param>
internal sealed class WebhookRefusedException(string message) : Exception(message);
