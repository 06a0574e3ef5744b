using System.Diagnostics;

namespace Shoal.TestKit;

/// <summary>Azure's storage emulator, installed by the npm client on first use, run on a free loopback port and stopped at the end.</summary>
public sealed class AzuriteProcess : IAsyncDisposable
{
    /// <summary>The emulator's published account; it is no secret.</summary>
    public const string Account = "devstoreaccount1";

    /// <summary>That account's published key.</summary>
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const string Version = "3.37.0";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shoal-azurite-");
    private readonly SemaphoreSlim _starting = new(1);
    private Process? _process;
    private Uri? _address;

    /// <summary>Where its blobs are; starts it when it does not run yet.</summary>
    public async Task<Uri> AddressAsync()
    {
        await _starting.WaitAsync();
        try
        {
            return _address ??= await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>What another process connects by; starts it when it does not run yet.</summary>
    public async Task<string> ConnectionStringAsync() =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={await AddressAsync()};";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _starting.Dispose();
        _data.Delete(recursive: true);
    }

    private static async Task<string> InstallAsync()
    {
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        string folder = Path.Combine(cache, "shoal", "azurite-" + Version);
        string program = Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
        if (!File.Exists(program))
        {
            Console.WriteLine($"Installing azurite {Version} into {folder} with npm (once).");
            Directory.CreateDirectory(folder);
            using Process npm = Process.Start(
                OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "azurite@" + Version]);
            await npm.WaitForExitAsync();
            if (npm.ExitCode != 0 || !File.Exists(program))
            {
                throw new InvalidOperationException($"npm could not install azurite {Version}; exit code {npm.ExitCode}.");
            }
        }

        return program;
    }

    private async Task<Uri> StartAsync()
    {
        string program = await InstallAsync();
        int port = LoopbackPorts.Free(1)[0];
        ProcessStartInfo start = new("node", [
            program, "--blobHost", "127.0.0.1", "--blobPort", port.ToString(), "--location", _data.FullName,
            "--skipApiVersionCheck", "--disableTelemetry"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        List<string> said = [];
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        void Hear(string? line)
        {
            lock (said)
            {
                said.Add(line ?? "");
            }

            if (line?.Contains("successfully listen", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        }

        _process.OutputDataReceived += (_, e) => Hear(e.Data);
        _process.ErrorDataReceived += (_, e) => Hear(e.Data);
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("azurite ended: " + string.Join(' ', said)));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(StartLimit);

        return new Uri($"http://127.0.0.1:{port}/{Account}");
    }
}
