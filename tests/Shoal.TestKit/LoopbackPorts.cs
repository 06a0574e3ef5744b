using System.Net;
using System.Net.Sockets;

namespace Shoal.TestKit;

/// <summary>Ports for servers that tests start.</summary>
public static class LoopbackPorts
{
    /// <summary>Free loopback ports, as the system gives them out.</summary>
    /// <param name="count">How many.</param>
    public static int[] Free(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
        {
            listener.Start();
        }

        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
