using System.CommandLine;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;

namespace Shoal.Cli;

/// <summary>Says what the published version makes of files, which are not stored.</summary>
internal static class ClassifyCommand
{
    public static Command Make(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var path = new Argument<string>("PATH") { Description = "What ingest takes: an image or a recording, a folder, an IDX or CSV file, a tar archive." };
        var embeddings = new Option<bool>("--embeddings") { Description = "With --json, their embeddings as well: little-endian float16 as base64." };
        var limit = new Option<long>("--limit") { Description = "Stop after so many items.", DefaultValueFactory = static _ => 1_000 };
        return Session.Runs(new Command("classify", "Say which clusters files belong to, without storing them.") { name, path, embeddings, limit }, shared, surroundings, async (session, parsed, token) =>
        {
            if (parsed.GetValue(limit) < 1)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, "--limit must be at least 1.");
            }

            string dataset = parsed.GetValue(name)!;
            DatasetSettings settings = await session.Client.SettingsAsync(dataset, token);
            IItemSource source = IngestCommand.Open(settings, parsed.GetValue(path)!, new ItemSourceOptions { Modality = settings.Modality, Limit = parsed.GetValue(limit) });
            List<ClassifiedLine> lines = [];
            bool any = false;
            await foreach (ClassifiedItem answer in session.Client.ClassifyAsync(dataset, source.ReadAsync(token), session.Json && parsed.GetValue(embeddings), token))
            {
                var line = ClassifiedLine.Of(answer.Id, answer.Answer);
                any |= line.State is not ItemState.Quarantined;
                if (session.Json)
                {
                    await session.Surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(line, ShoalJson.Options));
                }
                else
                {
                    lines.Add(line);
                }
            }

            if (!session.Json)
            {
                session.Surroundings.Terminal.Write(ListingViews.Classified(lines));
            }

            return any ? ExitCodes.Success : ExitCodes.UserError;
        });
    }
}
