using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Grains.Silos;
using Shoal.Web;

namespace Shoal.Silo;

/// <summary>The options of a silo's command line, and the settings that they make.</summary>
internal sealed class SiloArguments
{
    // What is embedded in half a minute on two cores is some 100,000 items at most: so many at most are done again.
    private const double CopySeconds = 30;

    private static readonly ShoalSiloOptions Defaults = new();

    private readonly Option<DirectoryInfo> _data = new("--data") { Description = "The silo's data folder; made when missing", DefaultValueFactory = _ => new DirectoryInfo(Defaults.DataDirectory) };
    private readonly Option<DirectoryInfo?> _store = new("--store") { Description = "Folder of the store, which silos of one host share; default: in the data folder" };
    private readonly Option<int> _http = new("--http-port") { Description = "HTTP API port; 0 takes a free one", DefaultValueFactory = _ => 5080 };
    private readonly Option<string> _httpAddress = new("--http-address") { Description = "IP address that the HTTP API listens on, 0.0.0.0 for all; another than loopback needs --auth", DefaultValueFactory = _ => $"{new SiloSettings().HttpAddress}" };
    private readonly Option<bool> _auth = new("--auth") { Description = "Take no request of the HTTP API without a key or a token; keys are made with: shoal key create (or the variable SHOAL_AUTH=true)", DefaultValueFactory = _ => Flag("SHOAL_AUTH") };
    private readonly Option<string?> _jwtAuthority = new("--jwt-authority") { Description = "OpenID Connect issuer whose tokens are taken beside keys, as an https address" };
    private readonly Option<string?> _jwtAudience = new("--jwt-audience") { Description = "What the issuer's tokens must be made for" };
    private readonly Option<string?> _jwtDatasets = new("--jwt-datasets") { Description = "Claim of the tokens that names the datasets they are for, * for every one; without it tokens are for every dataset" };
    private readonly Option<string[]> _webhooks = new("--webhook-networks") { Description = "Network that messages of webhooks may go to beside the public Internet, as 10.0.0.0/8; may be repeated", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
    private readonly Option<int?> _metrics = new("--metrics-port") { Description = "A port on --address that serves /metrics and nothing else, for a Prometheus on another host" };
    private readonly Option<bool> _dashboard = new("--dashboard") { Description = "Serve Orleans' dashboard of grains and their calls, at /dashboard; give it to every silo of a cluster" };
    private readonly Option<int> _silo = new("--silo-port") { Description = "Port between silos; 0 takes a free one", DefaultValueFactory = _ => 11111 };
    private readonly Option<int> _gateway = new("--gateway-port") { Description = "Port for .NET clients and the CLI; 0 takes a free one", DefaultValueFactory = _ => 30000 };
    private readonly Option<string> _roles = new("--roles") { Description = "What the silo does: of gateway, data, compute, with commas", DefaultValueFactory = _ => SiloRoleNames.Format(SiloRoles.All) };
    private readonly Option<string?> _redis = Variable("--redis", "Redis server that keeps the list of the cluster's silos, as StackExchange.Redis writes it");
    private readonly Option<string?> _postgres = Variable("--postgres", "PostgreSQL database that keeps the list of the cluster's silos, as Npgsql writes it");
    private readonly Option<string> _cluster = new("--cluster-id") { Description = "The cluster's id", DefaultValueFactory = _ => new ClusterSettings().Id };
    private readonly Option<string> _address = new("--address") { Description = "IP address or host name by which silos and clients reach this one", DefaultValueFactory = _ => $"{new ClusterSettings().Address}" };
    private readonly Option<string?> _listen = new("--listen") { Description = "IP address that the silo listens on where that is not the one by which it is reached: 0.0.0.0 behind a translated address" };
    private readonly Option<string?> _tls = Variable("--tls", "Folder of the certificates by which silos and clients know each other: ca.crt, tls.crt, tls.key");
    private readonly Option<bool> _kubernetes = new("--kubernetes") { Description = "Watch the pods, and declare silos dead whose pod is deleted (or the variable SHOAL_KUBERNETES=true)", DefaultValueFactory = _ => Flag("SHOAL_KUBERNETES") };
    private readonly Option<DirectoryInfo?> _join = new("--join") { Description = "Join the cluster of the silo of this host with this data folder (shoal-data unless one is named), on free ports", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads that libtorch uses; 0 for what OMP_NUM_THREADS says, else all cores" };
    private readonly Option<string> _device = new("--device") { Description = "Where models live: cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string?> _blobs = Variable("--blobs", "Azure storage account: a connection string, or its address, entered by this process's identity; without it everything is kept in the data folder");
    private readonly Option<string> _container = new("--container") { Description = "Azure Blobs container", DefaultValueFactory = _ => Defaults.BlobContainer };
    private readonly Option<double> _erase = new("--erase-seconds") { Description = "Seconds after which the bytes of deleted items are gone from the log", DefaultValueFactory = _ => Defaults.EraseSeconds };
    private readonly Option<double?> _copies = new("--copy-seconds") { Description = "Seconds after which what changed in sidecars is copied to the store, for shards that open elsewhere; 0 for never; default: 30 in a cluster or with blobs" };
    private readonly Option<long> _headroom = new("--disk-headroom") { Description = "MiB of the data folder's disk that ingest leaves free for checkpoints", DefaultValueFactory = _ => Defaults.DiskHeadroomMiB };
    private readonly Option<LogLevel> _log = new("--log") { Description = "Least severe log level printed", DefaultValueFactory = _ => LogLevel.Information };

    private readonly TelemetryArguments _telemetry = new();

    /// <summary>The command that takes them.</summary>
    public RootCommand Command()
    {
        RootCommand command = Own();
        foreach (Option option in _telemetry.Options)
        {
            command.Add(option);
        }

        return command;
    }

    private RootCommand Own() => new("Runs a Shoal silo with its HTTP API, which is on loopback unless said.")
    {
        _data, _store, _http, _httpAddress, _auth, _jwtAuthority, _jwtAudience, _jwtDatasets, _webhooks, _metrics, _dashboard, _silo, _gateway, _roles, _redis, _postgres, _cluster, _address, _listen, _tls, _kubernetes, _join, _threads, _device, _blobs, _container, _erase, _copies, _headroom, _log,
    };

    /// <summary>The settings that a command line makes.</summary>
    /// <param name="result">The command line.</param>
    /// <exception cref="FormatException">Something is wrong; the message says what.</exception>
    public SiloSettings Settings(ParseResult result)
    {
        var settings = new SiloSettings
        {
            HttpAddress = Ip(result.GetRequiredValue(_httpAddress), "--http-address"),
            HttpPort = result.GetRequiredValue(_http),
            Access = new AccessOptions
            {
                IsRequired = result.GetValue(_auth),
                Authority = result.GetValue(_jwtAuthority),
                Audience = result.GetValue(_jwtAudience),
                DatasetsClaim = result.GetValue(_jwtDatasets),
            },
            Webhooks = new WebhookOptions
            {
                Networks = [.. result.GetRequiredValue(_webhooks).Select(Network)],
            },
            MetricsPort = result.GetValue(_metrics),
            Dashboard = result.GetValue(_dashboard),
            SiloPort = FreeUnless(result.GetRequiredValue(_silo)),
            GatewayPort = FreeUnless(result.GetRequiredValue(_gateway)),
            LogLevel = result.GetRequiredValue(_log),
            Telemetry = _telemetry.Settings(result),
            Cluster = new ClusterSettings
            {
                Id = result.GetRequiredValue(_cluster),
                Redis = result.GetValue(_redis),
                Postgres = result.GetValue(_postgres),
                Address = Resolve(result.GetRequiredValue(_address)),
                Listen = result.GetValue(_listen) is { } listen ? Ip(listen, "--listen") : null,
                Certificates = result.GetValue(_tls) is { } folder ? Path.GetFullPath(folder) : null,
                Kubernetes = result.GetValue(_kubernetes),
            },
            Silo = new ShoalSiloOptions
            {
                DataDirectory = result.GetRequiredValue(_data).FullName,
                SharedStore = result.GetValue(_store)?.FullName,
                Roles = SiloRoleNames.Parse(result.GetRequiredValue(_roles)),
                Blobs = result.GetValue(_blobs),
                BlobContainer = result.GetRequiredValue(_container),
                EraseSeconds = result.GetRequiredValue(_erase),
                DiskHeadroomMiB = result.GetRequiredValue(_headroom),
                Compute = new ComputeOptions { IntraOpThreads = result.GetValue(_threads), Device = result.GetRequiredValue(_device) },
            },
        };
        if (settings.Cluster.Kubernetes && Pod.Problem(Environment.GetEnvironmentVariable, File.Exists) is { } problem)
        {
            throw new FormatException(problem);
        }

        SiloSettings placed = result.GetResult(_join) is { Implicit: false }
            ? Joined(settings, result.GetValue(_join) ?? new DirectoryInfo(Defaults.DataDirectory), keepsData: result.GetResult(_data) is { Implicit: false })
            : settings;
        var isMovable = placed.Cluster.IsShared || placed.Silo.Blobs is not null;
        return placed with { Silo = placed.Silo with { SidecarCopySeconds = result.GetValue(_copies) ?? (isMovable ? CopySeconds : 0) } };
    }

    /// <summary>The same as a further silo of the cluster that another of this host belongs to.</summary>
    private static SiloSettings Joined(SiloSettings settings, DirectoryInfo other, bool keepsData)
    {
        SiloEndpoints known = SiloEndpoints.Read(other.FullName)
            ?? throw new FormatException($"'{other}' is no silo's data folder (it holds no {SiloHost.EndpointsFile}); name one with --join FOLDER.");
        if (known is { Redis: null, Postgres: null })
        {
            throw new FormatException($"The silo of '{other}' is alone and cannot be joined; start it with --redis or --postgres.");
        }

        return settings with
        {
            HttpPort = 0,
            MetricsPort = null,
            SiloPort = FreeUnless(0),
            GatewayPort = FreeUnless(0),
            Cluster = settings.Cluster with { Id = known.Cluster!, Redis = known.Redis, Postgres = known.Postgres, Certificates = known.Tls },
            Silo = settings.Silo with
            {
                DataDirectory = keepsData ? settings.Silo.DataDirectory : FreeFolder(other.FullName),
                SharedStore = known.Store,
                Blobs = known.Blobs,
                BlobContainer = known.Container ?? settings.Silo.BlobContainer,
            },
        };
    }

    // A folder whose silo has ended is used again: its sidecars are still of use.
    private static string FreeFolder(string first) =>
        Enumerable.Range(2, 1_000).Select(i => $"{first}-{i}").First(folder => SiloEndpoints.Read(folder) is not { } known || !IsRunning(known.Pid));

    private static bool IsRunning(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static int FreeUnless(int port)
    {
        if (port != 0)
        {
            return port;
        }

        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static IPAddress Ip(string address, string option) => IPAddress.TryParse(address, out IPAddress? ip)
        ? ip
        : throw new FormatException($"'{address}' is no IP address; name one of this host's with {option}, or 0.0.0.0 for all of them.");

    private static IPNetwork Network(string text) => IPNetwork.TryParse(text, out IPNetwork network)
        ? network
        : throw new FormatException($"'{text}' is no network; write --webhook-networks 10.0.0.0/8, its bits beyond the prefix zero.");

    private static IPAddress Resolve(string address)
    {
        if (IPAddress.TryParse(address, out IPAddress? ip))
        {
            return ip;
        }

        try
        {
            IPAddress[] found = Dns.GetHostAddresses(address);
            return Array.Find(found, a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
        }
        catch (SocketException e)
        {
            throw new FormatException($"The address '{address}' cannot be resolved: {e.Message}", e);
        }
    }

    private static bool Flag(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        return !string.IsNullOrEmpty(value) && (bool.TryParse(value, out var on) ? on : throw new FormatException($"The variable {variable} is '{value}'; must be true or false."));
    }

    // May come by the environment, too, where a container has it and other users of the host do not see it: --redis by SHOAL_REDIS.
    private static Option<string?> Variable(string name, string description)
    {
        var variable = $"SHOAL_{name[2..].ToUpperInvariant()}";
        return new Option<string?>(name)
        {
            Description = $"{description} (or the variable {variable})",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null,
        };
    }
}
