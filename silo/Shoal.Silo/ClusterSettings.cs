using System.Net;

namespace Shoal.Silo;

/// <summary>How a silo finds the others of its cluster.</summary>
public sealed record ClusterSettings
{
    /// <summary>The cluster's id: silos and clients with another do not hear each other. Default <c>shoal</c>.</summary>
    public string Id { get; init; } = "shoal";

    /// <summary>The Redis server that keeps the list of silos, as StackExchange.Redis writes it; null for none.</summary>
    public string? Redis { get; init; }

    /// <summary>The PostgreSQL database that keeps the list of silos, as Npgsql writes it; null for none.</summary>
    public string? Postgres { get; init; }

    /// <summary>The address that other silos and clients reach this one by. Default loopback: one host.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The address that this silo listens on; null for <see cref="Address"/>.</summary>
    public IPAddress? Listen { get; init; }

    /// <summary>The folder of the certificates by which silos and clients know each other; null where everyone is taken.</summary>
    public string? Certificates { get; init; }

    /// <summary>Whether Kubernetes is watched for pods that it deletes: their silos are dead. Default no.</summary>
    public bool Kubernetes { get; init; }

    /// <summary>Whether there is a list of silos that others can join by.</summary>
    public bool IsShared => Redis is not null || Postgres is not null;
}
