using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Shoal.TestKit;

/// <summary>How a proxy behaves.</summary>
public enum Fault
{
    /// <summary>It passes everything on.</summary>
    None,

    /// <summary>It answers every request with 503.</summary>
    Unavailable,

    /// <summary>It takes connections and answers nothing.</summary>
    Silent,

    /// <summary>It closes every connection.</summary>
    Away,

    /// <summary>It passes on, each piece after a pause.</summary>
    Slow,

    /// <summary>It passes on what clients send, and of the answers the first piece alone.</summary>
    Mute,
}

/// <summary>Stands between a silo and its store, and fails as it is told.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly byte[] Refusal = Encoding.ASCII.GetBytes("HTTP/1.1 503 Server Busy\r\nx-ms-error-code: ServerBusy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _running;
    private CancellationTokenSource _mood = new();
    private volatile Fault _fault;

    /// <summary>Begins to pass on.</summary>
    /// <param name="target">The port on this host that it passes on to.</param>
    public FaultProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _running = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>How it behaves; connections that are open end when that changes.</summary>
    public Fault Fault
    {
        get => _fault;
        set
        {
            _fault = value;
            CancellationTokenSource before = Interlocked.Exchange(ref _mood, new CancellationTokenSource());
            before.Cancel();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _running;
        Fault = Fault.Away;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), _mood.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken ended)
    {
        using (client)
        {
            try
            {
                switch (_fault)
                {
                    case Fault.Away:
                        client.Client.LingerState = new LingerOption(enable: true, 0);
                        return;
                    case Fault.Silent:
                        await Task.Delay(Timeout.InfiniteTimeSpan, ended);
                        return;
                    case Fault.Unavailable:
                        // The head of a request is enough to refuse it.
                        if (await client.GetStream().ReadAsync(new byte[16_384], ended) > 0)
                        {
                            await client.GetStream().WriteAsync(Refusal, ended);
                        }

                        return;
                    default:
                        using (var target = new TcpClient())
                        {
                            await target.ConnectAsync(IPAddress.Loopback, _target, ended);
                            await Task.WhenAny(PumpAsync(client, target, Fault.None, ended), PumpAsync(target, client, _fault, ended));
                        }

                        return;
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The connection has ended.
            }
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, Fault fault, CancellationToken ended)
    {
        byte[] buffer = new byte[65_536];
        bool isMute = false;
        for (int read; (read = await from.GetStream().ReadAsync(buffer, ended)) > 0;)
        {
            if (isMute)
            {
                continue;
            }

            isMute = fault == Fault.Mute;
            if (_fault == Fault.Slow)
            {
                await Task.Delay(Pause, ended);
            }

            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), ended);
        }
    }
}
