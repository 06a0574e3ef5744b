using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints when a file was written.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="File">The file's path.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record FileWritten(string Dataset, string File, long Bytes);

/// <summary>Writes all items of a dataset into a file.</summary>
internal static class ExportCommands
{
    public static Command Export(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var format = new Option<string>("--format") { Description = "csv, parquet, or npz (of embeddings).", DefaultValueFactory = static _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "parquet", "npz");
        var what = new Option<string?>("--what") { Description = "assignments or embeddings." };
        what.AcceptOnlyFromAmong("assignments", "embeddings");
        Option<string> output = Output(required: true);
        return Session.Runs(new Command("export", "Write all items with their clusters, or their embeddings, into a file.") { name, format, what, output }, shared, surroundings, async (session, parsed, token) =>
        {
            ExportFormat wanted = Enum.Parse<ExportFormat>(parsed.GetValue(format)!, ignoreCase: true);
            ExportContent content = parsed.GetValue(what) is { } word
                ? Enum.Parse<ExportContent>(word, ignoreCase: true)
                : wanted is ExportFormat.Npz ? ExportContent.Embeddings : ExportContent.Assignments;
            string dataset = parsed.GetValue(name)!;
            ShoalClient.CheckExport(wanted, content);
            await session.Client.SettingsAsync(dataset, token);
            await WriteAsync(session, dataset, parsed.GetValue(output)!, file => session.Client.ExportAsync(dataset, wanted, content, file, token));
            return ExitCodes.Success;
        });
    }

    /// <summary>The option that names the file.</summary>
    /// <param name="required">Whether it must be given.</param>
    public static Option<string> Output(bool required) => new("--output", "-o") { Description = "The file to write; one that is there is replaced once the new one is whole.", Required = required };

    /// <summary>Writes a file, which appears under its name when it is whole.</summary>
    /// <param name="session">The run.</param>
    /// <param name="dataset">The dataset that it is of.</param>
    /// <param name="path">The file's path.</param>
    /// <param name="write">Writes its bytes.</param>
    public static async Task WriteAsync(Session session, string dataset, string path, Func<Stream, Task> write)
    {
        string part = path + ".part";
        long bytes;
        try
        {
            await using (FileStream file = File.Create(part))
            {
                await write(file);
                bytes = file.Length;
            }

            File.Move(part, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The file '{path}' cannot be written: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(part))
            {
                File.Delete(part);
            }
        }

        await session.ShowAsync(new FileWritten(dataset, path, bytes), static said => new Text($"Dataset {said.Dataset}: {said.File} written."));
    }
}
