using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Shoal.TestKit;

/// <summary>Stands between silos of one cluster, and can keep one of them from the others as a network that loses everything would.</summary>
/// <remarks>
/// Each silo is reached by an address of its own, where this listens; it listens itself on the loopback address that clients use. Bytes of a
/// silo that is cut off are held, both ways, and go on when it is healed: connections stay open, as they do while packets are lost.
/// </remarks>
public sealed class Partition : IAsyncDisposable
{
    // 127.77.0.n is nobody else's, and every Linux answers for all of 127.0.0.0/8.
    private static readonly byte[] Network = [127, 77, 0];
    private const int SocketField = 9;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<(SiloProcess? Silo, TcpListener Listener, Task Running)> _links = [];
    private readonly Lock _gate = new();
    private SiloProcess? _cut;
    private TaskCompletionSource _healed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Pieces of connections that were held so far.</summary>
    public int Held { get; private set; }

    /// <summary>Starts one more silo behind this and waits until it answers.</summary>
    /// <param name="cluster">The cluster.</param>
    public async Task<SiloProcess> AddAsync(SiloCluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        int[] ports = LoopbackPorts.Free(2);
        var address = new IPAddress([.. Network, (byte)(_links.Count + 1)]);
        var link = _links.Count;
        var listener = new TcpListener(address, ports[0]);
        var gateway = new TcpListener(address, ports[1]);
        listener.Start();
        gateway.Start();
        _links.Add((null, listener, AcceptAsync(listener, ports[0], link)));
        _links.Add((null, gateway, AcceptAsync(gateway, ports[1], link: null)));
        SiloProcess silo = await cluster.AddAsync(
            "--address", $"{address}", "--listen", $"{IPAddress.Loopback}", "--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}");
        _links[link] = _links[link] with { Silo = silo };
        return silo;
    }

    /// <summary>Cuts a silo off from the others. Clients reach it as before.</summary>
    /// <param name="silo">The silo.</param>
    public void Cut(SiloProcess silo)
    {
        lock (_gate)
        {
            _cut = silo;
        }
    }

    /// <summary>Lets everything through again, what was held first.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _cut = null;
            _healed.SetResult();
            _healed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Heal();
        await _stop.CancelAsync();
        foreach ((_, TcpListener listener, Task running) in _links)
        {
            listener.Dispose();
            await running;
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener, int port, int? link)
    {
        while (true)
        {
            try
            {
                _ = ServeAsync(await listener.AcceptTcpClientAsync(_stop.Token), port, link);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient source, int port, int? link)
    {
        using (source)
        using (var target = new TcpClient())
        {
            try
            {
                var ends = new Ends(link, ((IPEndPoint)source.Client.RemoteEndPoint!).Port, port);
                await WhenOpenAsync(ends);
                await target.ConnectAsync(IPAddress.Loopback, port, _stop.Token);
                await Task.WhenAny(PumpAsync(source, target, ends), PumpAsync(target, source, ends));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The connection has ended.
            }
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, Ends ends)
    {
        byte[] buffer = new byte[65_536];
        for (int read; (read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0;)
        {
            await WhenOpenAsync(ends);
            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }

    private async Task WhenOpenAsync(Ends ends)
    {
        while (Obstacle(ends) is { } healed)
        {
            await healed.Task.WaitAsync(_stop.Token);
        }
    }

    private TaskCompletionSource? Obstacle(Ends ends)
    {
        lock (_gate)
        {
            if (_cut is null || ends.Link is not { } link || (_links[link].Silo != _cut && !IsFrom(_cut.Id, ends)))
            {
                return null;
            }

            Held++;
            return _healed;
        }
    }

    // All silos connect from one address: whose a connection is the kernel knows by its socket's number.
    private static bool IsFrom(int process, Ends ends)
    {
        string[] sockets =
        [
            .. File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => Port(fields[1]) == ends.SourcePort && Port(fields[2]) == ends.Port).Select(fields => $"socket:[{fields[SocketField]}]"),
        ];
        return sockets.Length > 0 && Directory.Exists($"/proc/{process}/fd")
            && Directory.EnumerateFiles($"/proc/{process}/fd").Any(file => sockets.Contains(new FileInfo(file).LinkTarget, StringComparer.Ordinal));
    }

    private static int Port(string address) => int.Parse(address.AsSpan(address.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>The ends of a connection.</summary>
    /// <param name="Link">The silo that it leads to; null where it leads to a gateway.</param>
    /// <param name="SourcePort">The port that it comes from.</param>
    /// <param name="Port">The port that it was made to.</param>
    private sealed record Ends(int? Link, int SourcePort, int Port);
}
