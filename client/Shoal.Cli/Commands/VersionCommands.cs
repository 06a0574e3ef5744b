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
}
