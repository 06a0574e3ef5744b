using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

[assembly: AssemblyFixture(typeof(Shoal.Storage.Tests.Azurite))]

namespace Shoal.Storage.Tests;

/// <summary>Azure's storage emulator, installed by the npm client on first use, run on free loopback ports and stopped at the end.</summary>
public sealed class Azurite : IAsyncLifetime
{
    private const string Version = "3.37.0";

    // The emulator's published account; it is no secret.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly TempFolder _data = new();
    private readonly SemaphoreSlim _starting = new(1);
    private Process? _process;
    private Uri? _address;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Makes a container of its own; starts the emulator with the first.</summary>
    /// <param name="policy">Sees every try of every request, the client library's own retries included.</param>
    public async Task<BlobContainerClient> ContainerAsync(HttpPipelinePolicy? policy = null)
    {
        Uri address = await AddressAsync();

        // Few and quick retries: where a test breaks the connection on purpose it waits for them all.
        BlobClientOptions options = new() { Retry = { MaxRetries = 2, Mode = RetryMode.Fixed, Delay = TimeSpan.FromMilliseconds(10) } };
        if (policy is not null)
        {
            options.AddPolicy(policy, HttpPipelinePosition.PerRetry);
        }

        BlobServiceClient service = new(address, new Azure.Storage.StorageSharedKeyCredential(Account, Key), options);
        BlobContainerClient container = service.GetBlobContainerClient("test-" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync();
        return container;
    }

    /// <summary>What another process connects by; starts the emulator when it does not run yet.</summary>
    public async Task<string> ConnectionStringAsync() =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={await AddressAsync()};";

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _starting.Dispose();
        _data.Dispose();
    }

    private async Task<Uri> AddressAsync()
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
            Assert.True(npm.ExitCode == 0 && File.Exists(program), $"npm could not install azurite {Version}; exit code {npm.ExitCode}.");
        }

        return program;
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<Uri> StartAsync()
    {
        string program = await InstallAsync();
        int port = FreePort();
        ProcessStartInfo start = new("node", [
            program, "--blobHost", "127.0.0.1", "--blobPort", port.ToString(), "--location", _data.Path,
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
