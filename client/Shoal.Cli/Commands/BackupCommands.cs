using System.CommandLine;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>Backs datasets up, and restores them.</summary>
internal static class BackupCommands
{
    public static Command Backup(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var target = new Argument<string>("TARGET") { Description = "A folder of the silo's host, or blob:CONTAINER in the silo's storage account." };
        return Session.Runs(new Command("backup", "Copy a dataset elsewhere while it is in use, and check the copy.") { name, target }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            await session.Client.BeginBackupAsync(dataset, Place(parsed.GetValue(target)!), token);
            return await WaitAsync(session, dataset, token);
        });
    }

    public static Command Restore(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var source = new Argument<string>("SOURCE") { Description = "The folder or blob:CONTAINER that it was backed up to." };
        var renamed = new Option<string?>("--as") { Description = "Another name for the dataset that it becomes." };
        return Session.Runs(new Command("restore", "Bring a backup back as a dataset.") { name, source, renamed }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(renamed) ?? parsed.GetValue(name)!;
            await session.Client.BeginRestoreAsync(dataset, Place(parsed.GetValue(source)!), parsed.GetValue(name)!, token);
            return await WaitAsync(session, dataset, token);
        });
    }

    // The silo's folder is another one than the caller's.
    private static string Place(string given) => given.StartsWith("blob:", StringComparison.Ordinal) ? given : Path.GetFullPath(given);

    private static async Task<int> WaitAsync(Session session, string dataset, CancellationToken token)
    {
        BackupStatus? ended = null;
        if (session.Json)
        {
            ended = await session.Client.WaitForBackupAsync(dataset, cancellationToken: token);
        }
        else
        {
            await session.Surroundings.Terminal.Status().StartAsync("...", async context =>
                ended = await session.Client.WaitForBackupAsync(dataset, new Reports(status => context.Status = ShoalViews.Copied(status)), token));
        }

        await session.ShowAsync(ended!, static status => new Text($"{(status.Restores ? "Restored from" : "Backed up to")} {status.Place}: {ShoalViews.Copied(status)}."));
        return ExitCodes.Success;
    }

    // Progress<T> reports on the thread pool, perhaps after the end.
    private sealed class Reports(Action<BackupStatus> report) : IProgress<BackupStatus>
    {
        public void Report(BackupStatus value) => report(value);
    }
}
