using System.CommandLine;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>Lists clusters, and edits them: names, pins, merges.</summary>
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

    public static Command Cluster(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<long> cluster = ClusterId("CLUSTER");
        var exemplars = new Option<int>("--exemplars") { Description = "How many exemplars, 0 to 100.", DefaultValueFactory = static _ => 10 };
        return Session.Runs(new Command("cluster", "Show one cluster and what happened to it; a merged id shows the one that answers for it.") { name, cluster, exemplars }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.ClusterAsync(parsed.GetValue(name)!, parsed.GetValue(cluster), parsed.GetValue(exemplars), token), ListingViews.Cluster);
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
        Argument<long> cluster = ClusterId("CLUSTER");
        var text = new Argument<string>("TEXT") { Description = "Its name, 1 to 100 characters; \"\" takes the name away." };
        return Session.Runs(new Command("name", "Name a cluster.") { name, cluster, text }, shared, surroundings, async (session, parsed, token) =>
        {
            var named = new NamedCluster(parsed.GetValue(name)!, parsed.GetValue(cluster), parsed.GetValue(text)!);
            await session.Client.NameClusterAsync(named.Dataset, named.Cluster, named.Name, token);
            await session.ShowAsync(named, Named);
            return ExitCodes.Success;
        });
    }

    public static Command NameByExamples(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var text = new Argument<string>("TEXT") { Description = "The name, 1 to 100 characters." };
        var items = new Argument<string[]>("ITEM") { Description = "Ids of items that show what is meant, 1 to 100.", Arity = ArgumentArity.OneOrMore };
        return Session.Runs(new Command("name-by-examples", "Name the cluster that most of some items are in.") { name, text, items }, shared, surroundings, async (session, parsed, token) =>
        {
            (string dataset, string said) = (parsed.GetValue(name)!, parsed.GetValue(text)!);
            await session.ShowAsync(new NamedCluster(dataset, await session.Client.NameByExamplesAsync(dataset, said, parsed.GetValue(items)!, token), said), Named);
            return ExitCodes.Success;
        });
    }

    public static Command Pin(SharedOptions shared, CliSurroundings surroundings, bool pinned)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<long> cluster = ClusterId("CLUSTER");
        Command command = pinned
            ? new Command("pin", "Pin a cluster: later versions go on showing it.") { name, cluster }
            : new Command("unpin", "Let a pinned cluster go.") { name, cluster };
        return Session.Runs(command, shared, surroundings, async (session, parsed, token) =>
        {
            var edited = new PinnedCluster(parsed.GetValue(name)!, parsed.GetValue(cluster), pinned);
            await session.Client.PinClusterAsync(edited.Dataset, edited.Cluster, pinned, token);
            await session.ShowAsync(edited, static said => new Text($"Cluster {said.Cluster} is {(said.Pinned ? "pinned" : "not pinned")} now."));
            return ExitCodes.Success;
        });
    }

    public static Command Merge(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        (Argument<long> first, Argument<long> second) = (ClusterId("CLUSTER"), ClusterId("OTHER"));
        return Session.Runs(new Command("merge", "Make one of two clusters; the larger keeps its id, and the other's answers as it.") { name, first, second }, shared, surroundings, async (session, parsed, token) =>
        {
            (string dataset, long one, long other) = (parsed.GetValue(name)!, parsed.GetValue(first), parsed.GetValue(second));
            var merged = new MergedCluster(dataset, one, other, await session.Client.MergeClustersAsync(dataset, one, other, token));
            await session.ShowAsync(merged, static said => new Text($"Clusters {said.First} and {said.Second} are cluster {said.Cluster} now."));
            return ExitCodes.Success;
        });
    }

    public static Command Unmerge(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<long> cluster = ClusterId("CLUSTER");
        return Session.Runs(new Command("unmerge", "Take a merge by hand back.") { name, cluster }, shared, surroundings, async (session, parsed, token) =>
        {
            var parted = new PartedCluster(parsed.GetValue(name)!, parsed.GetValue(cluster));
            await session.Client.UnmergeClusterAsync(parted.Dataset, parted.Cluster, token);
            await session.ShowAsync(parted, static said => new Text($"Cluster {said.Cluster} is a cluster of its own again."));
            return ExitCodes.Success;
        });
    }

    private static Argument<long> ClusterId(string name) => new(name) { Description = "A cluster's id." };

    private static Text Named(NamedCluster said) =>
        new(said.Name.Length == 0 ? $"Cluster {said.Cluster} has no name now." : $"Cluster {said.Cluster} is named '{said.Name}'.");

    private sealed record PinnedCluster(string Dataset, long Cluster, bool Pinned);

    private sealed record MergedCluster(string Dataset, long First, long Second, long Cluster);

    private sealed record PartedCluster(string Dataset, long Cluster);

    private sealed record NamedCluster(string Dataset, long Cluster, string Name);
}
