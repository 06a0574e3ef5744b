using System.CommandLine;
using Shoal.Contracts;
using Shoal.Rendering;

namespace Shoal.Cli;

/// <summary>Asks for one item.</summary>
internal static class ItemCommands
{
    public static Command Query(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<string> item = Item();
        var fresh = new Option<bool>("--fresh") { Description = "Assign it by the published version first, where its assignment is older." };
        return Session.Runs(new Command("query", "Say what is known of an item now.") { name, item, fresh }, shared, surroundings, async (session, parsed, token) =>
        {
            ItemAnswer answer = parsed.GetValue(fresh)
                ? await session.Client.GetFreshAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, token)
                : await session.Client.GetAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, token);
            if (answer.State != ItemState.Unknown || session.Json)
            {
                await session.ShowAsync(answer, ShoalViews.Item);
            }

            return answer.State != ItemState.Unknown
                ? ExitCodes.Success
                : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{answer.Id}' in the dataset '{parsed.GetValue(name)}'; it was never ingested.");
        });
    }

    public static Command Similar(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<string> item = Item();
        var count = new Option<int>("--count") { Description = "How many, 1 to 1000.", DefaultValueFactory = static _ => 10 };
        return Session.Runs(new Command("similar", "Find the items nearest to one.") { name, item, count }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(
                await session.Client.SimilarAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, parsed.GetValue(count), token), ShoalViews.Similar);
            return ExitCodes.Success;
        });
    }

    private static Argument<string> Item() => new("ITEM") { Description = "The item's id." };
}
