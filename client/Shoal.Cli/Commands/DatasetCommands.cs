using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints for a command that does one thing to a dataset.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Done">What was done.</param>
internal sealed record DatasetDone(string Dataset, string Done);

/// <summary>Creates, lists, changes, deletes, pauses and resumes datasets.</summary>
internal static class DatasetCommands
{
    public static Command Dataset(SharedOptions shared, CliSurroundings surroundings) => new("dataset", "Create, list, change and delete datasets.")
    {
        Create(shared, surroundings),
        List(shared, surroundings),
        Set(shared, surroundings),
        Delete(shared, surroundings),
    };

    public static Command Pause(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Name();
        return Session.Runs(new Command("pause", "Let training rest; ingest and queries go on.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            await session.Client.PauseAsync(dataset, token);
            return await SayAsync(session, dataset, "paused");
        });
    }

    public static Command Resume(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Name();
        return Session.Runs(new Command("resume", "Let training go on.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            await session.Client.ResumeAsync(dataset, token);
            return await SayAsync(session, dataset, "resumed");
        });
    }

    public static Command Repair(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Name();
        var shard = new Option<int?>("--shard") { Description = "One shard; all unless given." };
        return Session.Runs(new Command("repair", "Make damaged logs readable again; what is taken out of them is saved.") { name, shard }, shared, surroundings, async (session, parsed, token) =>
        {
            ShardDamage[] damages = await session.Client.RepairAsync(parsed.GetValue(name)!, parsed.GetValue(shard), token);
            await session.ShowAsync(damages, static found => found.Length == 0 ? new Text("Nothing is damaged.") : ShoalViews.Damages(found));
            return ExitCodes.Success;
        });
    }

    public static Argument<string> Name() => new("NAME") { Description = "The dataset's name." };

    private static Command Create(SharedOptions shared, CliSurroundings surroundings)
    {
        var defaults = new DatasetSettings();
        Argument<string> name = Name();
        Option<string> modality = Option("--modality", $"What the items are: '{DatasetSettings.Image}' or '{DatasetSettings.Sound}'.", defaults.Modality);
        var size = new Option<(int Height, int Width, int Channels)?>("--size")
        {
            Description = $"The samples' size as HEIGHTxWIDTHxCHANNELS, for example 28x28x1; of spectrograms mel bands x frames x 1. [default: {defaults.Height}x{defaults.Width}x{defaults.Channels}, of sound {defaults.Height}x{defaults.Width}x1]",
            CustomParser = ParseSize,
        };
        Option<int> rate = Option("--sample-rate", "Of sound: samples a second that windows are kept at, 4000 to 48000.", defaults.SampleRate);
        Option<double> window = Option("--window-seconds", "Of sound: seconds of a window, 0.1 to 30; a window is an item.", defaults.WindowSeconds);
        var hop = new Option<double?>("--hop-seconds") { Description = "Of sound: seconds from one window of a recording to the next. [default: half a window]" };
        Option<string> frontEnd = Option("--front-end", $"Of sound: what is learned from, '{DatasetSettings.LogMel}' spectrograms or the '{DatasetSettings.Waveform}' itself.", defaults.FrontEnd);
        var clusters = new Option<int>("--clusters")
        {
            Description = "The most clusters, 2 to 1000; or 'auto' for as many as there are.",
            DefaultValueFactory = _ => defaults.Clusters,
            CustomParser = ParseClusters,
        };
        Option<int> shards = Option("--shards", "The number of shards, 1 to 1024; fixed for ever.", defaults.Shards);
        Option<double> round = Option("--round-seconds", "Seconds of training in a round, 1 to 3600.", defaults.RoundSeconds);
        Option<int> roundSteps = Option("--round-steps", "Training steps in a round instead of seconds: what is learned follows from the log alone then; 0 for seconds.", defaults.RoundSteps);
        Option<int> maxBytes = Option("--max-item-bytes", "The largest item taken, in bytes.", defaults.MaxItemBytes);
        Option<long> maxPixels = Option("--max-pixels", "The most pixels that an image may announce.", defaults.MaxPixels);
        Option<int> replay = Option("--replay-size", "Samples in the replay buffer, 256 to 1000000.", defaults.ReplaySize);
        Option<string> policy = Option("--replay", $"Which past samples are rehearsed: '{DatasetSettings.Reservoir}' or '{DatasetSettings.MinimumRedundancy}'.", defaults.Replay);
        Option<string> encoder = Option("--encoder", "What makes embeddings: 'strided', 'resnet18', 'vit', 'patches', 'logmel', 'waveform', or 'auto' for what suits samples and objectives.", defaults.Encoder);
        Option<string> views = Option("--views", "Which changes leave samples what they are: of images 'drawing', 'multicrop', 'photograph', 'randaugment', of sound 'byol-a', 'speech', 'timbre', or 'auto' for what suits them.", defaults.Views);
        var objectives = new Option<IReadOnlyDictionary<string, double>?>("--objective")
        {
            Description = "An objective and its weight, for example moco=1; repeat it for more. Default: the learner's choice.",
            CustomParser = ParseObjectives,
        };
        Option<int> idle = Option("--idle-steps", "Rehearsal steps that idle time may be used for.", defaults.IdleRehearsalSteps);
        Option<double> days = Option("--retain-days", "Days after which an item is deleted; 0 keeps items for ever.", defaults.RetainDays);
        Option<long> bytes = Option("--retain-bytes", "The most bytes of items kept, the oldest are deleted; 0 for no limit.", defaults.RetainBytes);
        Option<double> outer = Option("--outer-momentum", "Where several silos train: Nesterov momentum over their rounds, 0 to 0.99; 0 takes their mean.", defaults.OuterMomentum);
        Option<long> lag = Option("--max-lag", "Items that training may lag behind before it takes a sample of what came; 0 never.", defaults.MaxLag);
        var startFrom = new Option<string?>("--start-from") { Description = "Another dataset, whose published encoder this one begins with." };
        Option<FileInfo> weights = new Option<FileInfo>("--weights") { Description = "A safetensors file with the encoder that the dataset begins with." }.AcceptExistingOnly();
        Option<int> seed = Option("--seed", "The seed of all randomness.", defaults.Seed);
        var command = new Command("create", "Create a dataset; repeating it with the same settings does nothing.")
        {
            name, modality, size, rate, window, hop, frontEnd, clusters, shards, round, roundSteps, maxBytes, maxPixels, replay, policy, encoder, views, objectives, idle, days, bytes, lag, outer, seed, startFrom, weights,
        };
        return Session.Runs(command, shared, surroundings, async (session, parsed, token) =>
        {
            bool isSound = parsed.GetValue(modality) is DatasetSettings.Sound;
            (int height, int width, int channels) = parsed.GetValue(size) ?? (defaults.Height, defaults.Width, isSound ? 1 : defaults.Channels);
            string dataset = parsed.GetValue(name)!;
            bool created = await session.Client.CreateDatasetAsync(
                dataset,
                new DatasetSettings
                {
                    Modality = parsed.GetValue(modality)!,
                    Height = height,
                    Width = width,
                    Channels = channels,
                    SampleRate = parsed.GetValue(rate),
                    WindowSeconds = parsed.GetValue(window),
                    HopSeconds = parsed.GetValue(hop) ?? parsed.GetValue(window) / 2,
                    FrontEnd = parsed.GetValue(frontEnd)!,
                    Clusters = parsed.GetValue(clusters),
                    Shards = parsed.GetValue(shards),
                    RoundSeconds = parsed.GetValue(round),
                    RoundSteps = parsed.GetValue(roundSteps),
                    MaxItemBytes = parsed.GetValue(maxBytes),
                    MaxPixels = parsed.GetValue(maxPixels),
                    ReplaySize = parsed.GetValue(replay),
                    Replay = parsed.GetValue(policy)!,
                    Encoder = parsed.GetValue(encoder)!,
                    Views = parsed.GetValue(views)!,
                    Objectives = parsed.GetValue(objectives),
                    IdleRehearsalSteps = parsed.GetValue(idle),
                    RetainDays = parsed.GetValue(days),
                    RetainBytes = parsed.GetValue(bytes),
                    MaxLag = parsed.GetValue(lag),
                    OuterMomentum = parsed.GetValue(outer),
                    Seed = parsed.GetValue(seed),
                    StartFrom = parsed.GetValue(startFrom),
                },
                token);
            if (parsed.GetValue(weights) is { } file)
            {
                try
                {
                    await session.Client.SetFirstWeightsAsync(dataset, await File.ReadAllBytesAsync(file.FullName, token), token);
                }
                catch (ShoalException unfit) when (created && unfit.Kind is ShoalErrorKind.Invalid)
                {
                    // It would begin with others than were asked for.
                    await session.Client.DeleteDatasetAsync(dataset, CancellationToken.None);
                    throw;
                }
            }

            return await SayAsync(session, dataset, created ? "created" : "already there with these settings");
        });
    }

    private static Command List(SharedOptions shared, CliSurroundings surroundings) =>
        Session.Runs(new Command("list", "List the datasets."), shared, surroundings, async (session, _, token) =>
        {
            await session.ShowAsync(
                await session.Client.ListDatasetsAsync(token),
                names => names.Length == 0 ? ShoalViews.Datasets([]) : new Text(string.Join('\n', names)));
            return ExitCodes.Success;
        });

    private static Command Set(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Name();
        var round = new Option<double?>("--round-seconds") { Description = "Seconds of training in a round, 1 to 3600." };
        var idle = new Option<int?>("--idle-steps") { Description = "Rehearsal steps that idle time may be used for." };
        var days = new Option<double?>("--retain-days") { Description = "Days after which an item is deleted; 0 keeps items for ever." };
        var bytes = new Option<long?>("--retain-bytes") { Description = "The most bytes of items kept; 0 for no limit." };
        var lag = new Option<long?>("--max-lag") { Description = "Items that training may lag behind before it takes a sample of what came; 0 never." };
        var command = new Command("set", "Change settings; training goes on with them from its last round.") { name, round, idle, days, bytes, lag };
        return Session.Runs(command, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            var change = new DatasetChange
            {
                RoundSeconds = parsed.GetValue(round),
                IdleRehearsalSteps = parsed.GetValue(idle),
                RetainDays = parsed.GetValue(days),
                RetainBytes = parsed.GetValue(bytes),
                MaxLag = parsed.GetValue(lag),
            };
            DatasetSettings settings = await session.Client.ChangeDatasetAsync(dataset, change, token);
            return await SayAsync(session, dataset, string.Create(
                CultureInfo.InvariantCulture,
                $"rounds of {settings.RoundSeconds} s, {settings.IdleRehearsalSteps} idle rehearsal steps, items kept {(settings.RetainDays > 0 ? $"{settings.RetainDays} days" : "for ever")}{(settings.RetainBytes > 0 ? $", at most {settings.RetainBytes:N0} bytes" : "")}{(settings.MaxLag > 0 ? $", a sample trained beyond a lag of {settings.MaxLag:N0}" : "")}"));
        });
    }

    private static Command Delete(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = Name();
        return Session.Runs(new Command("delete", "Delete a dataset with everything it holds.") { name }, shared, surroundings, async (session, parsed, token) =>
        {
            string dataset = parsed.GetValue(name)!;
            await session.Client.DeleteDatasetAsync(dataset, token);
            return await SayAsync(session, dataset, "deleted");
        });
    }

    private static (int Height, int Width, int Channels)? ParseSize(ArgumentResult result)
    {
        string[] parts = result.Tokens.Count == 1 ? result.Tokens[0].Value.Split('x', 'X') : [];
        int[] sizes = Array.ConvertAll(parts, part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : -1);
        if (sizes.Length == 3 && !sizes.Contains(-1))
        {
            return (sizes[0], sizes[1], sizes[2]);
        }

        result.AddError("--size must be HEIGHTxWIDTHxCHANNELS, for example 28x28x1.");
        return null;
    }

    private static Dictionary<string, double>? ParseObjectives(ArgumentResult result)
    {
        var weights = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (Token token in result.Tokens)
        {
            if (DatasetSettings.ParseObjective(token.Value) is not { } objective)
            {
                result.AddError($"--objective must be NAME=WEIGHT, for example moco=1; it is '{token.Value}'.");
                return null;
            }

            weights[objective.Key] = objective.Value;
        }

        return weights;
    }

    private static int ParseClusters(ArgumentResult result)
    {
        if (DatasetSettings.ParseClusters(result.Tokens.Count == 1 ? result.Tokens[0].Value : null) is { } clusters)
        {
            return clusters;
        }

        result.AddError("--clusters must be a number, 2 to 1000, or 'auto'.");
        return default;
    }

    private static Option<T> Option<T>(string name, string description, T otherwise) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise };

    private static async Task<int> SayAsync(Session session, string dataset, string done)
    {
        await session.ShowAsync(new DatasetDone(dataset, done), static said => new Text($"Dataset {said.Dataset}: {said.Done}."));
        return ExitCodes.Success;
    }
}
