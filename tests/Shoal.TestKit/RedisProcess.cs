using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Shoal.TestKit;

/// <summary>Debian's redis-server on a free loopback port, stopped at the end; and redis-benchmark, which comes with it.</summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _data;
    private readonly Process _process;
    private readonly int _port;

    private RedisProcess(DirectoryInfo data, Process process, int port) => (_data, _process, _port) = (data, process, port);

    /// <summary>Starts one that syncs its append-only file before it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not come up.</exception>
    public static async Task<RedisProcess> StartAsync()
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("shoal-redis-");
        int port = SiloProcess.FreePorts(1)[0];
        Process process = Run("redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--dir", data.FullName, "--appendonly", "yes", "--appendfsync", "always", "--save", "");
        var redis = new RedisProcess(data, process, port);
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync(port))
        {
            if (process.HasExited || clock.Elapsed > StartLimit)
            {
                await redis.DisposeAsync();
                throw new InvalidOperationException("redis-server did not come up.");
            }

            await Task.Delay(50);
        }

        return redis;
    }

    /// <summary>Adds entries to a stream as fast as it takes them.</summary>
    /// <param name="entries">How many.</param>
    /// <param name="bytes">Bytes of each.</param>
    /// <param name="connections">Connections.</param>
    /// <param name="batch">Entries that a connection sends before it waits for their answers.</param>
    /// <returns>Entries a second.</returns>
    public async Task<double> AddAsync(int entries, int bytes, int connections, int batch)
    {
        using Process benchmark = Run(
            "redis-benchmark", "-h", "127.0.0.1", "-p", $"{_port}", "-c", $"{connections}", "-P", $"{batch}", "-n", $"{entries}", "--csv", "XADD", $"s{connections}", "*", "data", new string('x', bytes));
        string text = await benchmark.StandardOutput.ReadToEndAsync();
        await benchmark.WaitForExitAsync();

        // "test","rps","avg_latency_ms",... and below it the values.
        string[] values = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split("\",\"");
        return double.Parse(values[1], CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    private static Process Run(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{program} is not installed; as root: apt-get install redis-server", e);
        }
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
