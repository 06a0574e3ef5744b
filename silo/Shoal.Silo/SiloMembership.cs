using System.Net;
using Orleans.Configuration;
using Shoal.Client;

namespace Shoal.Silo;

/// <summary>Makes a silo a member of its cluster.</summary>
internal static class SiloMembership
{
    // A silo that misses two probes in a row is voted out: a killed one within about five seconds. One that trains on its only core
    // answers after up to a second and a half: half of the timeout, which is as far as Orleans goes by itself, is too little.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);
    private const int MissedProbes = 2;

    // After 15 s without a sign of life in the list a silo needs no votes to be dead, and nobody who joins waits for its answer: with Orleans' 90 s
    // a cluster that died as a whole would take as long to start again.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);
    private const int MissedSigns = 3;

    /// <summary>By Redis or PostgreSQL where one is named, alone otherwise.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="settings">Its settings.</param>
    public static ISiloBuilder UseMembership(this ISiloBuilder silo, SiloSettings settings)
    {
        ClusterSettings cluster = settings.Cluster;
        if (cluster.Certificates is { } folder)
        {
            silo.UseTls(ClusterCertificates.Load(folder).Apply);
        }

        if (!cluster.IsShared)
        {
            return silo.UseLocalhostClustering(settings.SiloPort, settings.GatewayPort, serviceId: cluster.Id, clusterId: cluster.Id);
        }

        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.Id, cluster.Id));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            (options.ProbeTimeout, options.MinProbeTimeout, options.NumMissedProbesLimit) = (ProbeTimeout, ProbeTimeout, MissedProbes);
            (options.IAmAliveTablePublishTimeout, options.NumMissedTableIAmAliveLimit) = (SignOfLife, MissedSigns);
        });
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = cluster.Address;
            options.SiloPort = settings.SiloPort;
            options.GatewayPort = settings.HasGateway ? settings.GatewayPort : 0;
            options.SiloListeningEndpoint = new IPEndPoint(cluster.Listen ?? cluster.Address, settings.SiloPort);
            options.GatewayListeningEndpoint = settings.HasGateway ? new IPEndPoint(cluster.Listen ?? cluster.Address, settings.GatewayPort) : null;
        });
        if (cluster.Kubernetes)
        {
            silo.Services.AddPodWatch(cluster.Id);
        }

        return cluster.Redis is { } redis ? silo.UseRedisClustering(redis) : silo.UsePostgres(cluster.Postgres!);
    }
}
