using System.CommandLine;
using Shoal.Contracts;
using Shoal.Rendering;

namespace Shoal.Cli;

/// <summary>Reads the change feed, and what of it is about one item.</summary>
internal static class ChangeCommands
{
    public static Command Changes(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var after = new Option<string?>("--after") { Description = "The cursor that the last page ended with, or 'end' for what comes from now on; left out, it begins with how all items stand." };
        var limit = new Option<int>("--limit") { Description = "About how many changes a page, 1 to 10000.", DefaultValueFactory = static _ => 1_000 };
        var follow = new Option<bool>("--follow") { Description = "Goes on with what comes, until Ctrl-C; otherwise it ends with what there is." };
        return Session.Runs(new Command("changes", "Tell what changed: items' states and clusters, and events.") { name, after, limit, follow }, shared, surroundings, async (session, parsed, token) =>
        {
            (string dataset, string? cursor, int most) = (parsed.GetValue(name)!, parsed.GetValue(after), parsed.GetValue(limit));
            if (parsed.GetValue(follow))
            {
                await foreach (ChangePage page in session.Client.FollowChangesAsync(dataset, cursor, most, token))
                {
                    await session.ShowAsync(page, ChangeViews.Page);
                    await SayAsync(session, page.Cursor);
                }
            }

            for (bool more = true; more;)
            {
                ChangePage page = await session.Client.ChangesAsync(dataset, cursor, most, cancellationToken: token);
                await session.ShowAsync(page, ChangeViews.Page);
                (cursor, more) = (page.Cursor, page.More);
            }

            await SayAsync(session, cursor!);
            return ExitCodes.Success;
        });
    }

    public static Command History(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var item = new Argument<string>("ITEM") { Description = "The item's id." };
        var limit = new Option<int>("--limit") { Description = "How many changes at most, the newest, 1 to 1000.", DefaultValueFactory = static _ => 100 };
        return Session.Runs(new Command("history", "Tell what became of an item: in which clusters it was, and since when.") { name, item, limit }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.HistoryAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, parsed.GetValue(limit), token), ChangeViews.History);
            return ExitCodes.Success;
        });
    }

    // Not through the terminal's view, which would break it over lines: it is there to be copied.
    private static Task SayAsync(Session session, string cursor) =>
        session.Json ? Task.CompletedTask : session.Surroundings.Out.WriteLineAsync($"Read on with: --after {cursor}");
}
