using System.Net;
using Shoal.Grains.Hosting;
using Shoal.Grains.Silos;
using Shoal.Web;

namespace Shoal.Silo;

/// <summary>Everything that a silo's host is told: the silo's own settings, its cluster and its endpoints.</summary>
public sealed record SiloSettings
{
    /// <summary>The silo's own settings.</summary>
    public ShoalSiloOptions Silo { get; init; } = new();

    /// <summary>How it finds the others. Default: it is alone.</summary>
    public ClusterSettings Cluster { get; init; } = new();

    /// <summary>The IP address that the HTTP API listens on; another than loopback needs <see cref="AccessOptions.IsRequired"/>. Default 127.0.0.1.</summary>
    public IPAddress HttpAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Who may call the HTTP API. Default everyone, which on loopback is whoever is on this host.</summary>
    public AccessOptions Access { get; init; } = new();

    /// <summary>Where messages of webhooks may go. Default the public Internet.</summary>
    public WebhookOptions Webhooks { get; init; } = new();

    /// <summary>The HTTP API's port; 0 takes a free one. Default 5080.</summary>
    public int HttpPort { get; init; } = 5080;

    /// <summary>A port on <see cref="ClusterSettings.Address"/> that serves <c>/metrics</c> and nothing else; null for none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>Whether it tells Orleans' dashboard of its grains, and serves that beside its pages. Default no: it costs something all the time.</summary>
    public bool Dashboard { get; init; }

    /// <summary>The port by which silos reach each other. Default 11111, Orleans' own.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>The port by which .NET clients reach the silo. Default 30000, Orleans' own.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary>The least severe log level that is printed. Default Information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>What it tells of itself, and to whom.</summary>
    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>Whether clients may call this silo.</summary>
    public bool HasGateway => Silo.Roles.HasFlag(SiloRoles.Gateway);

    /// <summary>Lists what does not fit together; empty when all is fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>(Telemetry.Problems());
        if (Cluster is { Redis: not null, Postgres: not null })
        {
            problems.Add("The list of silos is in Redis or in PostgreSQL; name one of them.");
        }

        if (!Cluster.IsShared && Silo.Roles != SiloRoles.All)
        {
            problems.Add($"A silo that is alone has every role, not {SiloRoleNames.Format(Silo.Roles)}; name the cluster with --redis or --postgres.");
        }

        if (Cluster is { Kubernetes: true, IsShared: false })
        {
            problems.Add("Kubernetes tells which silos are gone, not which there are; name the cluster's list of silos with --redis or --postgres.");
        }

        if (!IPAddress.IsLoopback(HttpAddress) && !Access.IsRequired)
        {
            problems.Add(
                $"On {HttpAddress} everyone who reaches this host could read, change and delete everything by the HTTP API; add --auth, by which callers need a key (shoal key create), or leave out --http-address. "
                + "Keys travel as they are: put a proxy with TLS in front.");
        }

        problems.AddRange(Access.Problems());
        return problems;
    }
}
