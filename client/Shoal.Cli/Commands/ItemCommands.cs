using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints when items were deleted.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Deleted">Ids of items that are gone now.</param>
internal sealed record ItemsDeleted(string Dataset, string[] Deleted);

/// <summary>Asks for items, and deletes them.</summary>
internal static class ItemCommands
{
    public static Command Query(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<string> item = Item();
        var fresh = new Option<bool>("--fresh") { Description = "Assign it by the published version first, where its assignment is older." };
        return Session.Runs(new Command("query", "Say what is known of an item now, or of a recording window by window.") { name, item, fresh }, shared, surroundings, async (session, parsed, token) =>
        {
            ItemAnswer answer = parsed.GetValue(fresh)
                ? await session.Client.GetFreshAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, token)
                : await session.Client.GetAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, token);
            if (answer.State == ItemState.Unknown && await RecordingAsync(session, parsed.GetValue(name)!, answer.Id, token) is { Windows.Count: > 0 } recording)
            {
                await session.ShowAsync(recording, RecordingViews.Timeline);
                return ExitCodes.Success;
            }

            if (answer.State != ItemState.Unknown || session.Json)
            {
                await session.ShowAsync(answer, ShoalViews.Item);
            }

            return answer.State != ItemState.Unknown
                ? ExitCodes.Success
                : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{answer.Id}' in the dataset '{parsed.GetValue(name)}'; it was never ingested.");
        });
    }

    public static Command Content(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        Argument<string> item = Item();
        Option<string> output = ExportCommands.Output(required: true);
        return Session.Runs(new Command("content", "Write the original bytes of an item into a file.") { name, item, output }, shared, surroundings, async (session, parsed, token) =>
        {
            (string dataset, string id) = (parsed.GetValue(name)!, parsed.GetValue(item)!);
            ItemContent content = await session.Client.GetContentAsync(dataset, id, token)
                ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'.");
            await ExportCommands.WriteAsync(session, dataset, parsed.GetValue(output)!, async file => await file.WriteAsync(content.Bytes, token));
            return ExitCodes.Success;
        });
    }

    public static Command Delete(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var items = new Argument<string[]>("ITEM") { Description = "The items' ids.", Arity = ArgumentArity.OneOrMore };
        return Session.Runs(new Command("delete", "Delete items, or recordings with all of their windows: no answer knows them from then on, and they are not trained on again.") { name, items }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            string[] ids = parsed.GetValue(items)!;
            List<string> unknown = [.. await session.Client.DeleteAsync(dataset, ids, token)];
            foreach (string id in unknown.ToArray())
            {
                if (await IsSoundAsync(session, dataset, token) && await session.Client.DeleteRecordingAsync(dataset, id, token) > 0)
                {
                    unknown.Remove(id);
                }
            }

            if (unknown.Count < ids.Length)
            {
                await session.ShowAsync(
                    new ItemsDeleted(dataset, [.. ids.Except(unknown, StringComparer.Ordinal)]),
                    static said => new Text($"Dataset {said.Dataset}: {said.Deleted.Length} deleted."));
            }

            return unknown.Count == 0
                ? ExitCodes.Success
                : throw new ShoalException(ShoalErrorKind.NotFound, $"The dataset '{dataset}' never held: {string.Join(", ", unknown)}.");
        });
    }

    public static Command Similar(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var item = new Argument<string?>("ITEM") { Description = "The item's id.", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file") { Description = "Instead of an item, a file that is not stored." };
        var count = new Option<int>("--count") { Description = "How many, 1 to 1000.", DefaultValueFactory = static _ => 10 };
        return Session.Runs(new Command("similar", "Find the items nearest to one, or to a file.") { name, item, file, count }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            SimilarAnswer found = (parsed.GetValue(item), parsed.GetValue(file)) switch
            {
                ({ } id, null) => await session.Client.SimilarAsync(dataset, id, parsed.GetValue(count), token),
                (null, { } path) => await session.Client.SimilarAsync(dataset, await FileAsync(session, dataset, path, token), parsed.GetValue(count), token),
                _ => throw new ShoalException(ShoalErrorKind.Invalid, "Give the id of an item, or --file and a path."),
            };
            await session.ShowAsync(found, ShoalViews.Similar);
            return ExitCodes.Success;
        });
    }

    private static async Task<ItemUpload> FileAsync(Session session, string dataset, string path, CancellationToken token)
    {
        DatasetSettings settings = await session.Client.SettingsAsync(dataset, token);
        try
        {
            // A file over the limit is not read: it would be refused anyway.
            return new FileInfo(path).Length > settings.MaxItemBytes
                ? throw new ShoalException(ShoalErrorKind.Invalid, UploadRules.TooLarge(settings))
                : new ItemUpload { Id = "file", MediaType = UploadRules.MediaTypeOf(path, settings), Bytes = await File.ReadAllBytesAsync(path, token) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The file '{path}' cannot be read: {e.Message}", e);
        }
    }

    // What is no item may be a recording, whose windows are.
    private static async Task<RecordingAnswer?> RecordingAsync(Session session, string dataset, string id, CancellationToken token) =>
        await IsSoundAsync(session, dataset, token) ? await session.Client.RecordingAsync(dataset, id, token) : null;

    private static async Task<bool> IsSoundAsync(Session session, string dataset, CancellationToken token) =>
        (await session.Client.SettingsAsync(dataset, token)).Modality is DatasetSettings.Sound;

    private static Argument<string> Item() => new("ITEM") { Description = "The item's id." };
}
