using System.CommandLine;
using Shoal.Rendering;

namespace Shoal.Cli;

/// <summary>Reports that are made when they are asked for.</summary>
internal static class ReportCommands
{
    public static Command Invariance(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Option<int> items = Items(200, "1000");
        return Session.Runs(new Command("invariance", "Show how far embeddings move when samples are turned, shifted, dimmed, ...") { name, items }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.InvarianceAsync(parsed.GetValue(name)!, parsed.GetValue(items), token), ReportViews.Invariance);
            return ExitCodes.Success;
        });
    }

    public static Command Bias(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Option<int> items = Items(2_000, "10000");
        return Session.Runs(new Command("bias", "Show how much of the clustering goes with fields that items carry.") { name, items }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.BiasAsync(parsed.GetValue(name)!, parsed.GetValue(items), token), ReportViews.Bias);
            return ExitCodes.Success;
        });
    }

    private static Option<int> Items(int otherwise, string most) => new("--items") { Description = $"How many items to look at, 10 to {most}.", DefaultValueFactory = _ => otherwise };
}
