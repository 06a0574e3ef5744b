using System.CommandLine;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>Lists model versions, and goes back to one.</summary>
internal static class VersionCommands
{
    public static Command Versions(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        return Session.Runs(new Command("versions", "List the published version and those that can be taken back into use.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            await session.ShowAsync(await session.Client.VersionsAsync(parsed.GetValue(name)!, token), ShoalViews.Versions);
            return ExitCodes.Success;
        });
    }

    public static Command Rollback(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var version = new Argument<int>("VERSION") { Description = "The version's number, one of those that 'versions' lists." };
        return Session.Runs(new Command("rollback", "Take an earlier version back into use; training goes on from its checkpoint.") { name, version }, shared, surroundings, async (session, parsed, token) =>
        {
            PublishedVersion restored = await session.Client.RollbackAsync(parsed.GetValue(name)!, parsed.GetValue(version), token);
            await session.ShowAsync(restored, static said => new Text($"Version {said.Restores} is back in use as version {said.Version}; training goes on from its checkpoint."));
            return ExitCodes.Success;
        });
    }

    public static Command Model(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var version = new Option<int?>("--version") { Description = "One of those that 'versions' lists; the published one unless said." };
        Option<string> output = ExportCommands.Output(required: false);
        return Session.Runs(new Command("model", "Describe a model version, or write its file of safetensors.") { name, version, output }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            ModelDescription model = await session.Client.ModelAsync(dataset, parsed.GetValue(version), token);
            if (parsed.GetValue(output) is { } path)
            {
                await ExportCommands.WriteAsync(session, dataset, path, file => session.Client.DownloadModelAsync(dataset, model.Version, file, token));
            }
            else
            {
                await session.ShowAsync(model, ListingViews.Model);
            }

            return ExitCodes.Success;
        });
    }
}
