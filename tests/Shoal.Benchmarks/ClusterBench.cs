using Shoal.Client;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>The cluster of silos that a measurement is made on, and may kill and stop, with a Redis that keeps the list of them.</summary>
internal static class ClusterBench
{
    /// <summary>Starts it, runs a measurement, and removes everything.</summary>
    /// <param name="silos">How many silos.</param>
    /// <param name="pinned">Whether each has a core of its own.</param>
    /// <param name="run">The measurement.</param>
    public static async Task RunAsync(int silos, bool pinned, Func<SiloCluster, ShoalClient, Task> run)
    {
        var folder = Directory.CreateTempSubdirectory("shoal-cluster-bench-");
        try
        {
            await using RedisProcess redis = await RedisProcess.StartAsync();
            await using var cluster = new SiloCluster(folder.FullName, "--redis", redis.ConnectionString, "--log", "Critical");
            for (var i = 0; i < silos; i++)
            {
                await (pinned ? cluster.AddAsync(i) : cluster.AddAsync());
            }

            await using ShoalClient client = await cluster.ConnectAsync();
            await run(cluster, client);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
