using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Cli;

/// <summary>Shows datasets at a glance, once or for as long as one looks.</summary>
internal static class StatusCommands
{
    /// <summary>The pause between two looks: a person reads no faster, and a look costs one call a shard.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Status(SharedOptions shared, CliSurroundings surroundings)
    {
        var name = new Argument<string?>("NAME") { Description = "The dataset's name; all datasets when left out.", Arity = ArgumentArity.ZeroOrOne };
        return Session.Runs(new Command("status", "Show counts, lags and training.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            if (parsed.GetValue(name) is { Length: > 0 } dataset)
            {
                await session.ShowAsync(await session.Client.StatusAsync(dataset, token), ShoalViews.Status);
            }
            else
            {
                string[] names = await session.Client.ListDatasetsAsync(token);
                await session.ShowAsync(await Task.WhenAll(names.Select(each => session.Client.StatusAsync(each, token))), ShoalViews.Datasets);
            }

            return ExitCodes.Success;
        });
    }

    public static Command Watch(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var once = new Option<bool>("--once") { Description = "Look once." };
        var seconds = new Option<double?>("--seconds") { Description = "Look for so many seconds; until Ctrl-C when left out." };
        return Session.Runs(new Command("watch", "Show a dataset as it changes; ends with Ctrl-C.") { name, once, seconds }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            TimeSpan? most = parsed.GetValue(once) ? TimeSpan.Zero : parsed.GetValue(seconds) is { } given ? TimeSpan.FromSeconds(given) : null;
            IAsyncEnumerable<Look> looks = LookAsync(session.Client, dataset, most, session.Surroundings.Time, token);
            if (!session.Json && session.Surroundings.Terminal.Profile.Capabilities.Interactive)
            {
                await session.Surroundings.Terminal.Live(new Text(string.Empty)).StartAsync(async live =>
                {
                    await foreach (Look look in looks)
                    {
                        live.UpdateTarget(View(look));
                    }
                });
            }
            else
            {
                await foreach (Look look in looks)
                {
                    await session.ShowAsync(look, View);
                }
            }

            return ExitCodes.Success;
        });
    }

    private static IRenderable View(Look look) => new Rows(ShoalViews.Status(look.Status), ShoalViews.Clusters(look.Clusters));

    private static async IAsyncEnumerable<Look> LookAsync(
        ShoalClient client,
        string dataset,
        TimeSpan? most,
        TimeProvider time,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        long begun = time.GetTimestamp();
        while (true)
        {
            // Ctrl-C is how a watch ends, so it is no failure.
            Look look;
            try
            {
                look = new Look(await client.StatusAsync(dataset, token), await client.ClustersAsync(dataset, exemplars: 3, token));
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                yield break;
            }

            yield return look;
            if (most is { } limit && time.GetElapsedTime(begun) + Pause > limit)
            {
                yield break;
            }

            await Task.Delay(Pause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (token.IsCancellationRequested)
            {
                yield break;
            }
        }
    }

    /// <summary>One look at a dataset.</summary>
    internal sealed record Look(DatasetStatus Status, ClusterSummary[] Clusters);
}
