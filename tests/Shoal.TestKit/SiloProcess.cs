using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Shoal.Client;

namespace Shoal.TestKit;

/// <summary>A real silo in a process of its own, on free loopback ports; it can be stopped, or killed with SIGKILL.</summary>
public sealed partial class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(90);
    private const int SigTerm = 15;

    // 128 + SIGKILL.
    private const int Killed = 137;

    private readonly Process _process;
    private readonly List<string> _output;

    private SiloProcess(Process process, List<string> output, string data, string http, string gateway)
    {
        _process = process;
        _output = output;
        Data = data;
        Http = new Uri(http);
        Gateway = gateway;
    }

    /// <summary>The silo's data folder.</summary>
    public string Data { get; }

    /// <summary>Where its HTTP API listens.</summary>
    public Uri Http { get; }

    /// <summary>Where its gateway listens, host:port.</summary>
    public string Gateway { get; }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>The process's resident memory, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Whether the process has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>The last lines that it printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output.TakeLast(40));
            }
        }
    }

    /// <summary>Starts a silo and waits until it answers.</summary>
    /// <param name="data">Its data folder.</param>
    /// <param name="arguments">More arguments for the silo's command line.</param>
    /// <exception cref="InvalidOperationException">It did not come up; the message holds what it printed.</exception>
    public static Task<SiloProcess> StartAsync(string data, params string[] arguments) => StartAsync(data, endAt: null, arguments);

    /// <summary>Starts a silo that may end itself, and waits until it answers or has ended.</summary>
    /// <param name="data">Its data folder.</param>
    /// <param name="endAt">The write at which it ends itself by SIGKILL, as <c>KillPoint</c> in Shoal.Storage reads it; null for never.</param>
    /// <param name="arguments">More arguments for the silo's command line.</param>
    /// <returns>The silo, which has <see cref="HasEnded"/> when the write came before it answered.</returns>
    /// <exception cref="InvalidOperationException">It did not come up; the message holds what it printed.</exception>
    public static Task<SiloProcess> StartAsync(string data, string? endAt, string[] arguments) => StartAsync("Shoal.Silo", data, endAt, arguments);

    /// <summary>Starts a silo of another program, for example one that is broken on purpose.</summary>
    /// <param name="program">The project that it is built from, and perhaps words that come before a silo's arguments.</param>
    /// <param name="data">Its data folder.</param>
    /// <param name="endAt">The write at which it ends itself; null for never.</param>
    /// <param name="arguments">More arguments for the silo's command line.</param>
    /// <exception cref="InvalidOperationException">It did not come up; the message holds what it printed.</exception>
    public static async Task<SiloProcess> StartAsync(string program, string data, string? endAt, string[] arguments)
    {
        Directory.CreateDirectory(data);
        var endpoints = Path.Combine(data, "silo.json");
        File.Delete(endpoints);
        int[] ports = FreePorts(2);
        List<string> words =
        [
            SiloAssembly(program.Split(' ')[0]), .. program.Split(' ')[1..], "--data", data, "--http-port", "0", "--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}", .. arguments,
        ];
        var start = new ProcessStartInfo("dotnet", words) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["SHOAL_KILL_AT"] = endAt;
        var process = new Process { StartInfo = start };
        List<string> output = [];
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var clock = Stopwatch.StartNew();
        while (!File.Exists(endpoints))
        {
            if (process.HasExited && endAt is not null && process.ExitCode == Killed)
            {
                return new SiloProcess(process, output, data, "http://127.0.0.1:1", "127.0.0.1:1");
            }

            if (process.HasExited || clock.Elapsed > StartTime)
            {
                lock (output)
                {
                    throw new InvalidOperationException($"The silo did not come up within {clock.Elapsed.TotalSeconds:F0} s:\n{string.Join('\n', output)}");
                }
            }

            await Task.Delay(50);
        }

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(endpoints));
        return new SiloProcess(
            process, output, data, json.RootElement.GetProperty("http").GetString()!, json.RootElement.GetProperty("gateway").GetString()!);

        void Keep(string? line)
        {
            if (line is not null)
            {
                lock (output)
                {
                    output.Add(line);
                }
            }
        }
    }

    /// <summary>Connects a client.</summary>
    public Task<ShoalClient> ConnectAsync() => ShoalClient.ConnectAsync(new ShoalClientOptions { Gateways = [Gateway] });

    /// <summary>Kills the process as a power switch would: SIGKILL, nothing is flushed or handed over.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to stop (SIGTERM) and waits.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, SigTerm);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                await KillAsync();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    /// <summary>Free loopback ports, as the system gives them out.</summary>
    /// <param name="count">How many.</param>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (TcpListener listener in listeners)
        {
            listener.Start();
        }

        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }

    // A silo is built into artifacts/bin/PROJECT/<configuration>, beside the folder of whoever starts it.
    private static string SiloAssembly(string program)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var path = Path.Combine(own.Parent!.Parent!.FullName, program, own.Name, program + ".dll");
        return File.Exists(path)
            ? path
            : throw new InvalidOperationException($"The silo is not built at {path}; run: dotnet build");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
