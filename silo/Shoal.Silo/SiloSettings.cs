using Shoal.Grains.Hosting;

namespace Shoal.Silo;

/// <summary>Everything that a silo's host is told: the silo's own settings and its endpoints.</summary>
public sealed record SiloSettings
{
    /// <summary>The silo's own settings.</summary>
    public ShoalSiloOptions Silo { get; init; } = new();

    /// <summary>The HTTP API's port on loopback; 0 takes a free one. Default 5080.</summary>
    public int HttpPort { get; init; } = 5080;

    /// <summary>The port by which silos reach each other. Default 11111, Orleans' own.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>The port by which .NET clients reach the silo. Default 30000, Orleans' own.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary>The least severe log level that is printed. Default Information.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
