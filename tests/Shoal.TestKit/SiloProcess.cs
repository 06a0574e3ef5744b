using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Shoal.Client;

namespace Shoal.TestKit;

/// <summary>A real silo in a process of its own, on free loopback ports; it can be stopped, or killed with SIGKILL.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);
    private const int SigTerm = 15;
    private const string NoHttp = "http://127.0.0.1:1";
    private const string NoGateway = "127.0.0.1:1";

    // 128 and the signal.
    private const int Killed = 137;
    private const int Aborted = 134;
    private const int SegmentationFault = 139;

    private readonly Process _process;
    private readonly List<string> _output;

    private SiloProcess(Process process, List<string> output, string data, int siloPort, string http, string gateway)
    {
        _process = process;
        _output = output;
        Data = data;
        SiloPort = siloPort;
        Http = new Uri(http);
        Gateway = gateway;
    }

    /// <summary>The silo's data folder.</summary>
    public string Data { get; }

    /// <summary>The port by which other silos reach it.</summary>
    public int SiloPort { get; }

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
    /// <param name="program">The project that it is built from or the path of its assembly, and perhaps words that come before a silo's arguments.</param>
    /// <param name="data">Its data folder.</param>
    /// <param name="endAt">The write at which it ends itself; null for never.</param>
    /// <param name="arguments">More arguments for the silo's command line.</param>
    /// <exception cref="InvalidOperationException">It did not come up; the message holds what it printed.</exception>
    public static Task<SiloProcess> StartAsync(string program, string data, string? endAt, string[] arguments)
    {
        (List<string> words, var siloPort) = Words(program, data, arguments);
        return StartAsync(new ProcessStartInfo("dotnet", words), data, siloPort, endAt);
    }

    /// <summary>Starts a silo that has one core, and waits until it answers.</summary>
    /// <param name="data">Its data folder.</param>
    /// <param name="core">The core.</param>
    /// <param name="arguments">More arguments for its command line.</param>
    /// <exception cref="InvalidOperationException">It did not come up; the message holds what it printed.</exception>
    public static Task<SiloProcess> StartPinnedAsync(string data, int core, string[] arguments)
    {
        (List<string> words, var siloPort) = Words("Shoal.Silo", data, arguments);
        // taskset becomes the program, so that its process id is the silo's.
        return StartAsync(new ProcessStartInfo("taskset", ["--cpu-list", $"{core}", "dotnet", .. words]), data, siloPort, endAt: null);
    }

    private static (List<string> Words, int SiloPort) Words(string program, string data, string[] arguments)
    {
        var given = Array.IndexOf(arguments, "--silo-port");
        int[] ports = given < 0 ? LoopbackPorts.Free(2) : [int.Parse(arguments[given + 1], CultureInfo.InvariantCulture)];
        string[] named = given < 0 ? ["--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}"] : [];
        return (
            [Assembly(program.Split(' ')[0]), .. program.Split(' ')[1..], "--data", data, "--http-port", "0", .. named, .. arguments],
            ports[0]);
    }

    private static async Task<SiloProcess> StartAsync(ProcessStartInfo start, string data, int siloPort, string? endAt)
    {
        Directory.CreateDirectory(data);
        var endpoints = Path.Combine(data, "silo.json");
        File.Delete(endpoints);
        (start.RedirectStandardOutput, start.RedirectStandardError, start.UseShellExecute) = (true, true, false);
        start.Environment["SHOAL_KILL_AT"] = endAt;
        // As ./shoal serve sets it.
        start.Environment["MALLOC_ARENA_MAX"] = "1";
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
                return new SiloProcess(process, output, data, siloPort, NoHttp, NoGateway);
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
        // A silo that is no gateway says neither.
        string? Said(string name) => json.RootElement.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
        return new SiloProcess(process, output, data, siloPort, Said("http") ?? NoHttp, Said("gateway") ?? NoGateway);

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

    /// <summary>Asks the process to stop (SIGTERM) and waits until it has handed over what it owned and ended by itself.</summary>
    /// <exception cref="InvalidOperationException">It ended in another way, or did not end.</exception>
    public async Task StopAsync()
    {
        if (_process.HasExited)
        {
            return;
        }

        var ended = await EndAsync();
        if (!ended || _process.ExitCode != 0)
        {
            throw new InvalidOperationException($"The silo {(ended ? $"ended with {_process.ExitCode}" : $"did not end within {StopTime.TotalSeconds} s")} when it was told to stop:\n{Output}");
        }
    }

    /// <summary>Stops it. A silo that went down by itself is why whoever called it failed, so it is told instead of that.</summary>
    /// <exception cref="InvalidOperationException">It had crashed; the message holds what it printed.</exception>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await EndAsync();
        }

        var code = _process.ExitCode;
        _process.Dispose();
        if (code is SegmentationFault || (code is Aborted && !WasVotedOut))
        {
            throw new InvalidOperationException($"The silo had crashed with exit code {code}:\n{Output}");
        }
    }

    /// <summary>Whether it has printed something since it was started.</summary>
    /// <param name="text">What is looked for, within a line.</param>
    public bool HasPrinted(string text)
    {
        lock (_output)
        {
            return _output.Exists(line => line.Contains(text, StringComparison.Ordinal));
        }
    }

    // Orleans ends a silo that learns from the list of silos that the others took it for dead.
    private bool WasVotedOut => HasPrinted("I have been told I am dead");

    private async Task<bool> EndAsync()
    {
        Programs.Signal(_process, SigTerm);
        using var limit = new CancellationTokenSource(StopTime);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            return false;
        }
    }

    // A silo is built into artifacts/bin/PROJECT/<configuration>, beside the folder of whoever starts it.
    private static string Assembly(string program)
    {
        if (Path.IsPathRooted(program))
        {
            return program;
        }

        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var path = Path.Combine(own.Parent!.Parent!.FullName, program, own.Name, program + ".dll");
        return File.Exists(path)
            ? path
            : throw new InvalidOperationException($"The silo is not built at {path}; run: dotnet build");
    }
}
