using System.CommandLine;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>Lists and names clusters.</summary>
internal static class ClusterCommands
{
    public static Command Clusters(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var exemplars = new Option<int>("--exemplars") { Description = "How many exemplars a cluster, 0 to 100.", DefaultValueFactory = static _ => 3 };
        return Session.Runs(new Command("clusters", "List the clusters.") { name, exemplars }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.ClustersAsync(parsed.GetValue(name)!, parsed.GetValue(exemplars), token), ShoalViews.Clusters);
            return ExitCodes.Success;
        });
    }

    public static Command Events(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var count = new Option<int>("--count") { Description = "How many of the newest, 1 to 1000.", DefaultValueFactory = static _ => 20 };
        return Session.Runs(new Command("events", "List what happened: versions, clusters, changes of the stream.") { name, count }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.EventsAsync(parsed.GetValue(name)!, parsed.GetValue(count), token), ShoalViews.Events);
            return ExitCodes.Success;
        });
    }

    public static Command Name(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var cluster = new Argument<long>("CLUSTER") { Description = "The cluster's id." };
        var text = new Argument<string>("TEXT") { Description = "Its name, 1 to 100 characters; \"\" takes the name away." };
        return Session.Runs(new Command("name", "Name a cluster.") { name, cluster, text }, shared, surroundings, async (session, parsed, token) =>
        {
            var named = new NamedCluster(parsed.GetValue(name)!, parsed.GetValue(cluster), parsed.GetValue(text)!);
            await session.Client.NameClusterAsync(named.Dataset, named.Cluster, named.Name, token);
            await session.ShowAsync(named, static said =>
                new Text(said.Name.Length == 0 ? $"Cluster {said.Cluster} has no name now." : $"Cluster {said.Cluster} is named '{said.Name}'."));
            return ExitCodes.Success;
        });
    }

    private sealed record NamedCluster(string Dataset, long Cluster, string Name);
}
