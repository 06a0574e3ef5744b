using System.Net;
using System.Net.Sockets;

namespace Shoal.TestKit;

/// <summary>Ports for servers that tests start.</summary>
/// <remarks>
/// A port that the system gave out and got back may be given to the next who connects anywhere, before the server binds it. These lie below those that
/// Linux gives out (<c>net.ipv4.ip_local_port_range</c>), and each belongs to this process until it ends: other processes of tests see its file locked.
/// </remarks>
public static class LoopbackPorts
{
    private const int First = 10_000;
    private const int End = 20_000;

    private static readonly string Locks = Path.Combine(Path.GetTempPath(), $"shoal-ports-{Environment.UserName}");
    private static readonly Lock Gate = new();
    private static readonly List<FileStream> Held = [];
    private static int _next = First + (Environment.ProcessId * 7 % (End - First));

    /// <summary>Loopback ports that nobody listens on, and that nobody else asking here is given while this process runs.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="InvalidOperationException">So many are not free.</exception>
    public static int[] Free(int count)
    {
        lock (Gate)
        {
            Directory.CreateDirectory(Locks);
            int[] ports = [.. Enumerable.Range(0, End - First).Select(_ => Next()).Where(CanBeBound).Where(TryTake).Take(count)];
            return ports.Length == count
                ? ports
                : throw new InvalidOperationException($"Of the ports from {First} to {End - 1}, {ports.Length} are free; {count} are needed.");
        }
    }

    private static int Next() => _next = _next + 1 < End ? _next + 1 : First;

    private static bool CanBeBound(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // For this process: the lock ends with it.
    private static bool TryTake(int port)
    {
        try
        {
            Held.Add(new FileStream(Path.Combine(Locks, $"{port}"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
