using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Shoal.TestKit;

namespace Shoal.Storage.Tests;

/// <summary>Servers that tests start beside one another must not be given the same port, nor one that a connection takes meanwhile.</summary>
public sealed class LoopbackPortsTests
{
    [Fact]
    public void None_is_given_twice_and_none_is_one_that_the_system_gives_to_connections()
    {
        int[] ports = [.. LoopbackPorts.Free(40), .. LoopbackPorts.Free(40)];
        Assert.Equal(80, ports.Distinct().Count());
        Assert.DoesNotContain(ports, IsOfTheSystem);

        // The control: what the system gives out is told apart.
        using var given = new TcpListener(IPAddress.Loopback, 0);
        given.Start();
        Assert.True(IsOfTheSystem(((IPEndPoint)given.LocalEndpoint).Port));
    }

    [Fact]
    public void One_that_somebody_listens_on_is_passed_over()
    {
        var next = LoopbackPorts.Free(1)[0] + 1;
        using var listener = new TcpListener(IPAddress.Loopback, next);
        try
        {
            listener.Start();
        }
        catch (SocketException)
        {
            // Somebody else listens there already.
        }

        Assert.NotEqual(next, LoopbackPorts.Free(1)[0]);
    }

    private static bool IsOfTheSystem(int port)
    {
        int[] range = [.. File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range")
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(bound => int.Parse(bound, CultureInfo.InvariantCulture))];
        return port >= range[0] && port <= range[1];
    }
}
