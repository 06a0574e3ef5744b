using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What the command line writes to and connects with; tests put their own here.</summary>
public sealed record CliSurroundings
{
    /// <summary>Standard output: JSON goes here as it is.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error: one line for what went wrong.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>The terminal on standard output, for tables and progress.</summary>
    public required IAnsiConsole Terminal { get; init; }

    /// <summary>Opens standard input: sound that is piped in.</summary>
    public Func<Stream> In { get; init; } = Console.OpenStandardInput;

    /// <summary>Opens the connection.</summary>
    public Func<ShoalClientOptions, CancellationToken, Task<ShoalClient>> Connect { get; init; } =
        static (options, cancellationToken) => ShoalClient.ConnectAsync(options, cancellationToken);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What the process answers to its caller.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>A bug: please report it.</summary>
    public const int Bug = 1;

    /// <summary>The request is wrong, or names what does not exist; repeating it does not help.</summary>
    public const int UserError = 2;

    /// <summary>The silo is overloaded, away or too slow, and repeating it may help; or stored bytes are damaged.</summary>
    public const int ServerError = 3;

    /// <summary>Ended by Ctrl-C, as shells count it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>The exit code of a failure.</summary>
    /// <param name="kind">The failure's kind.</param>
    public static int Of(ShoalErrorKind kind) => kind is ShoalErrorKind.Overloaded or ShoalErrorKind.Unavailable or ShoalErrorKind.Damaged ? ServerError : UserError;
}

/// <summary>The command line: parses, runs a command, and turns failures into one line and an exit code.</summary>
public static class ShoalCli
{
    /// <summary>After Ctrl-C, how long batches in flight may take to be acknowledged: a call's longest time and a little.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary>Runs one command.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="surroundings">What it writes to and connects with.</param>
    /// <param name="cancellationToken">Ends it, as Ctrl-C does.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliSurroundings surroundings, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(surroundings);
        ParseResult parsed = Build(surroundings).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
            {
                await surroundings.Error.WriteLineAsync($"error: {error.Message}");
            }

            await surroundings.Error.WriteLineAsync("Try --help.");
            return ExitCodes.UserError;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    Output = surroundings.Out,
                    Error = surroundings.Error,
                    ProcessTerminationTimeout = Grace,
                },
                cancellationToken);
        }
        catch (ShoalException failure)
        {
            await surroundings.Error.WriteLineAsync($"error: {failure.Message}");
            return ExitCodes.Of(failure.Kind);
        }
        catch (TimeoutException)
        {
            await surroundings.Error.WriteLineAsync("error: The silo did not answer in time; try again in a few seconds.");
            return ExitCodes.ServerError;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception bug)
        {
            await surroundings.Error.WriteLineAsync($"This is a bug; please report it with what follows.\n{bug}");
            return ExitCodes.Bug;
        }
    }

    private static RootCommand Build(CliSurroundings surroundings)
    {
        var shared = new SharedOptions();
        var root = new RootCommand("Shoal watches streams of unlabeled images and sound, and says at any moment which cluster an item belongs to.")
        {
            DatasetCommands.Dataset(shared, surroundings),
            IngestCommand.Make(shared, surroundings),
            ClassifyCommand.Make(shared, surroundings),
            ItemCommands.Query(shared, surroundings),
            ListingCommands.Items(shared, surroundings),
            ItemCommands.Delete(shared, surroundings),
            ItemCommands.Similar(shared, surroundings),
            ExportCommands.Export(shared, surroundings),
            ItemCommands.Content(shared, surroundings),
            ThumbnailCommand.Make(shared, surroundings),
            ClusterCommands.Clusters(shared, surroundings),
            ClusterCommands.Cluster(shared, surroundings),
            ClusterCommands.Name(shared, surroundings),
            ClusterCommands.NameByExamples(shared, surroundings),
            ClusterCommands.Pin(shared, surroundings, pinned: true),
            ClusterCommands.Pin(shared, surroundings, pinned: false),
            ClusterCommands.Merge(shared, surroundings),
            ClusterCommands.Unmerge(shared, surroundings),
            ClusterCommands.Events(shared, surroundings),
            ChangeCommands.Changes(shared, surroundings),
            ChangeCommands.History(shared, surroundings),
            ReportCommands.Invariance(shared, surroundings),
            ReportCommands.Bias(shared, surroundings),
            VersionCommands.Versions(shared, surroundings),
            VersionCommands.Rollback(shared, surroundings),
            VersionCommands.Model(shared, surroundings),
            StatusCommands.Status(shared, surroundings),
            StatusCommands.Watch(shared, surroundings),
            DatasetCommands.Pause(shared, surroundings),
            DatasetCommands.Resume(shared, surroundings),
            DatasetCommands.Repair(shared, surroundings),
            BackupCommands.Backup(shared, surroundings),
            BackupCommands.Restore(shared, surroundings),
            KeyCommands.Key(shared, surroundings),
            WebhookCommands.Webhook(shared, surroundings),
        };
        root.Options.Add(shared.Silo);
        root.Options.Add(shared.Json);
        return root;
    }
}
