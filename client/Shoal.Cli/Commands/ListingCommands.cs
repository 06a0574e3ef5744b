using System.CommandLine;
using Shoal.Contracts;
using Shoal.Rendering;

namespace Shoal.Cli;

/// <summary>Lists items.</summary>
internal static class ListingCommands
{
    public static Command Items(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var cluster = new Option<long?>("--cluster") { Description = "Only items of this cluster." };
        var state = new Option<string?>("--state") { Description = "Only items in this state: pending, assigned, outlier or quarantined." };
        state.AcceptOnlyFromAmong("pending", "assigned", "outlier", "quarantined");
        var below = new Option<float?>("--confidence-below") { Description = "Only assigned items whose confidence is below this, 0 to 1." };
        var newest = new Option<bool>("--newest") { Description = "Newest first; otherwise oldest first." };
        var limit = new Option<int>("--limit") { Description = "How many at most, 1 to 1000.", DefaultValueFactory = static _ => 100 };
        var after = new Option<string?>("--cursor") { Description = "The cursor that the last page ended with." };
        return Session.Runs(new Command("items", "List items.") { name, cluster, state, below, newest, limit, after }, shared, surroundings, async (session, parsed, token) =>
        {
            var filter = new ItemFilter
            {
                Cluster = parsed.GetValue(cluster),
                State = parsed.GetValue(state) is { } word ? Enum.Parse<ItemState>(word, ignoreCase: true) : null,
                ConfidenceBelow = parsed.GetValue(below),
                Newest = parsed.GetValue(newest),
            };
            ItemPage page = await session.Client.ListItemsAsync(parsed.GetValue(name)!, filter, parsed.GetValue(after), parsed.GetValue(limit), token);
            await session.ShowAsync(page, ListingViews.Items);
            if (!session.Json && page.Cursor is not null)
            {
                // Not through the terminal's view, which would break it over lines: it is there to be copied.
                await session.Surroundings.Out.WriteLineAsync($"Read on with: --cursor {page.Cursor}");
            }

            return ExitCodes.Success;
        });
    }
}
