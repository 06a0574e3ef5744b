using System.Diagnostics;
using System.Globalization;

namespace Shoal.TestKit;

/// <summary>Debian's redis-server on a free loopback port, stopped at the end; and redis-benchmark, which comes with it.</summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private const string Package = "redis-server";

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shoal-redis-");
    private readonly int _port = LoopbackPorts.Free(1)[0];
    private Process _process = null!;

    private RedisProcess()
    {
    }

    /// <summary>How others connect to it.</summary>
    public string ConnectionString => $"127.0.0.1:{_port}";

    /// <summary>Starts one that syncs its append-only file before it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not come up.</exception>
    public static async Task<RedisProcess> StartAsync()
    {
        var redis = new RedisProcess();
        try
        {
            await redis.BeginAsync();
            return redis;
        }
        catch
        {
            redis._data.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Ends it, waits, and starts it again with what it has stored.</summary>
    /// <param name="away">For how long it is away.</param>
    public async Task RestartAsync(TimeSpan away)
    {
        await EndAsync();
        await Task.Delay(away);
        await BeginAsync();
    }

    /// <summary>Adds entries to a stream as fast as it takes them.</summary>
    /// <param name="entries">How many.</param>
    /// <param name="bytes">Bytes of each.</param>
    /// <param name="connections">Connections.</param>
    /// <param name="batch">Entries that a connection sends before it waits for their answers.</param>
    /// <returns>Entries a second.</returns>
    public async Task<double> AddAsync(int entries, int bytes, int connections, int batch)
    {
        using Process benchmark = Programs.Start(
            Package, "redis-benchmark", "-h", "127.0.0.1", "-p", $"{_port}", "-c", $"{connections}", "-P", $"{batch}", "-n", $"{entries}", "--csv", "XADD", $"s{connections}", "*", "data", new string('x', bytes));
        string text = await benchmark.StandardOutput.ReadToEndAsync();
        await benchmark.WaitForExitAsync();

        // "test","rps","avg_latency_ms",... and below it the values.
        string[] values = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split("\",\"");
        return double.Parse(values[1], CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _data.Delete(recursive: true);
    }

    private async Task BeginAsync()
    {
        _process = Programs.Start(
            Package, "redis-server", "--port", $"{_port}", "--bind", "127.0.0.1", "--dir", _data.FullName, "--appendonly", "yes", "--appendfsync", "always", "--save", string.Empty);
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        await Programs.WaitForPortAsync(_process, _port);
    }

    private async Task EndAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
