using System.Diagnostics;

namespace Shoal.TestKit;

/// <summary>Debian's PostgreSQL with a database of its own on a free loopback port, stopped at the end.</summary>
public sealed class PostgresProcess : IAsyncDisposable
{
    private const string Package = "postgresql";
    private const string User = "postgres";

    // A fast shutdown: sessions are ended, and what they did is kept.
    private const int SigInt = 2;

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shoal-postgres-");
    private readonly int _port = LoopbackPorts.Free(1)[0];
    private Process? _process;

    private PostgresProcess()
    {
    }

    /// <summary>How others connect to it.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={_port};Username={User};Database={User}";

    /// <summary>Makes the database and starts the server.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not come up.</exception>
    public static async Task<PostgresProcess> StartAsync()
    {
        var postgres = new PostgresProcess();
        try
        {
            await postgres.BeginAsync();
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            Programs.Signal(_process, SigInt);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _data.Delete(recursive: true);
    }

    private async Task BeginAsync()
    {
        if (IsRoot)
        {
            await RunAsync("chown", User, _data.FullName);
        }

        await RunAsync(Own("initdb", "--pgdata", _data.FullName, "--auth", "trust", "--username", User, "--no-sync"));
        string[] server = Own("postgres", "-D", _data.FullName, "-p", $"{_port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off");
        _process = Programs.Start(Package, server[0], server[1..]);
        await Programs.WaitForPortAsync(_process, _port);
    }

    private static bool IsRoot => Environment.UserName is "root";

    // PostgreSQL refuses to run as root; setpriv becomes the program, so that its process id is the server's.
    private static string[] Own(string program, params string[] arguments)
    {
        string path = Path.Combine(Folder(), program);
        return IsRoot ? ["setpriv", "--reuid", User, "--regid", User, "--clear-groups", path, .. arguments] : [path, .. arguments];
    }

    // Debian keeps each major version in a folder of its own, outside of PATH.
    private static string Folder() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).LastOrDefault(Directory.Exists) ?? string.Empty
            : string.Empty;

    private static async Task RunAsync(params string[] words)
    {
        using Process process = Programs.Start(Package, words[0], words[1..]);
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', words)} ended with {process.ExitCode}: {output}");
        }
    }
}
