using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Cli;

/// <summary>What an ingest did; every item that was read is in exactly one of the counts.</summary>
internal sealed record IngestReport
{
    public required string Dataset { get; init; }

    public long Accepted { get; init; }

    public long AlreadyKnown { get; init; }

    public long Replaced { get; init; }

    public long Conflicts { get; init; }

    public long Rejected { get; init; }

    public double Seconds { get; init; }

    public double ItemsPerSecond { get; init; }

    public bool Stopped { get; init; }

    public required IReadOnlyDictionary<string, long> Reasons { get; init; }
}

/// <summary>Sends files. Ending it and running it again is safe: what is stored comes back as already known.</summary>
internal static class IngestCommand
{
    /// <summary>The most reasons told apart: some name a line or a column, and a report should fit on a screen.</summary>
    private const int MaxReasons = 20;

    private const string StandardInput = "-";
    private const string OtherReasons = "other reasons";

    public static Command Make(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var path = new Argument<string>("PATH") { Description = "A folder of images or recordings, an IDX file or a folder of them, a CSV file, one image or recording, or - for sound on standard input." };
        var follow = new Option<bool>("--follow") { Description = "Go on with new files of the folder until Ctrl-C." };
        var recording = new Option<string?>("--recording") { Description = "The id of the recording that is piped in; the time at which it began unless given." };
        var limit = new Option<long?>("--limit") { Description = "Stop after so many items." };
        var fields = new Option<string[]>("--field") { Description = "What every item carries beside its bytes, NAME=VALUE, for example camera=7; repeat it for more. 'bias' tells whether clusters go with it." };
        return Session.Runs(new Command("ingest", "Send items and wait until they are durable.") { name, path, follow, limit, recording, fields }, shared, surroundings, async (session, parsed, token) =>
        {
            if (parsed.GetValue(limit) is < 1)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, "--limit must be at least 1.");
            }

            DatasetSettings settings = await session.Client.SettingsAsync(parsed.GetValue(name)!, token);
            IReadOnlyDictionary<string, string>? carried = CarryingSource.Parse(parsed.GetValue(fields) ?? []);
            IItemSource source = parsed.GetValue(path) is StandardInput
                ? Live(session, settings, parsed.GetValue(recording))
                : Open(settings, parsed.GetValue(path)!, new ItemSourceOptions
                {
                    Follow = parsed.GetValue(follow),
                    Modality = settings.Modality,
                    Limit = parsed.GetValue(limit),
                    Following = new FollowOptions { Time = session.Surroundings.Time },
                });
            var tally = new Tally(parsed.GetValue(name)!, session.Surroundings.Time);
            await ShowProgressAsync(session, source.Count, tally, async advance =>
            {
                // Ctrl-C stops the reading; what was read is still sent and counted.
                await foreach (IngestResult result in session.Client.IngestAsync(tally.Dataset, UntilStopped(new CarryingSource(source, carried).ReadAsync(token), token), options: null, CancellationToken.None))
                {
                    tally.Add(result);
                    advance();
                }
            });

            IngestReport report = tally.Report(token.IsCancellationRequested);
            await session.ShowAsync(report, View);
            bool nothingStored = report.Accepted + report.AlreadyKnown + report.Replaced == 0;
            return nothingStored && report.Conflicts + report.Rejected > 0 ? ExitCodes.UserError : ExitCodes.Success;
        });
    }

    /// <summary>Opens a file or a folder; recordings are cut into the dataset's windows.</summary>
    /// <param name="settings">The dataset's settings.</param>
    /// <param name="path">The path.</param>
    /// <param name="options">How it is opened.</param>
    public static IItemSource Open(DatasetSettings settings, string path, ItemSourceOptions options)
    {
        IItemSource source = ItemSources.Open(path, options);
        return settings.Modality is DatasetSettings.Sound ? new RecordingSource(source, settings) : source;
    }

    private static LiveSource Live(Session session, DatasetSettings settings, string? recording) => settings.Modality is DatasetSettings.Sound
        ? new LiveSource(session.Surroundings.In(), recording ?? session.Surroundings.Time.GetUtcNow().ToString("'live/'yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture), settings)
        : throw new ShoalException(ShoalErrorKind.Invalid, "Only sound is read from standard input; name a file or a folder.");

    private static IRenderable View(IngestReport report)
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn(new GridColumn().RightAligned().NoWrap());
        Line("accepted", report.Accepted);
        Line("already known", report.AlreadyKnown);
        Line("replaced", report.Replaced);
        Line("conflict", report.Conflicts);
        Line("rejected", report.Rejected);
        string took = $"{report.Seconds:N1} s, {report.ItemsPerSecond:N0} items/s{(report.Stopped ? "; stopped" : string.Empty)}.";
        var parts = new List<IRenderable> { grid, new Text(took) };
        if (report.Reasons.Count > 0)
        {
            parts.Add(ShoalViews.ReasonCounts(report.Reasons));
        }

        return new Rows(parts);

        void Line(string what, long count) => grid.AddRow(new Text(what), new Text(ShoalViews.Count(count)));
    }

    private static async Task ShowProgressAsync(Session session, long? count, Tally tally, Func<Action, Task> work)
    {
        IAnsiConsole terminal = session.Surroundings.Terminal;
        if (session.Json || !terminal.Profile.Capabilities.Interactive)
        {
            await work(static () => { });
            return;
        }

        await terminal.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                ProgressTask task = progress.AddTask("starting", maxValue: count ?? 1);
                task.IsIndeterminate = count is null;
                await work(() =>
                {
                    // A number a thousand items keeps the counting cheap; the screen is drawn by its own timer.
                    task.Increment(count is null ? 0 : 1);
                    if (tally.Total % 1_000 == 1)
                    {
                        task.Description = $"{ShoalViews.Count(tally.Total)} items, {tally.Rate:N0}/s";
                    }
                });
                task.Description = $"{ShoalViews.Count(tally.Total)} items, {tally.Rate:N0}/s";
                task.StopTask();
            });
    }

    private static async IAsyncEnumerable<SourceItem> UntilStopped(IAsyncEnumerable<SourceItem> source, [EnumeratorCancellation] CancellationToken token)
    {
        await using IAsyncEnumerator<SourceItem> items = source.GetAsyncEnumerator(token);
        while (await NextAsync())
        {
            yield return items.Current;
        }

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return !token.IsCancellationRequested && await items.MoveNextAsync();
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    private sealed class Tally(string dataset, TimeProvider time)
    {
        private readonly long _begun = time.GetTimestamp();
        private readonly long[] _counts = new long[Enum.GetValues<IngestOutcome>().Length];
        private readonly Dictionary<string, long> _reasons = new(StringComparer.Ordinal);

        public string Dataset => dataset;

        public long Total { get; private set; }

        public double Rate => Total / Math.Max(time.GetElapsedTime(_begun).TotalSeconds, 1e-3);

        public void Add(IngestResult result)
        {
            Total++;
            _counts[(int)result.Outcome]++;
            if (!result.IsStored)
            {
                string reason = result.Reason ?? "no reason given";
                reason = _reasons.ContainsKey(reason) || _reasons.Count < MaxReasons ? reason : OtherReasons;
                _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
            }
        }

        public IngestReport Report(bool stopped) => new()
        {
            Dataset = dataset,
            Accepted = _counts[(int)IngestOutcome.Accepted],
            AlreadyKnown = _counts[(int)IngestOutcome.AlreadyKnown],
            Replaced = _counts[(int)IngestOutcome.Replaced],
            Conflicts = _counts[(int)IngestOutcome.Conflict],
            Rejected = _counts[(int)IngestOutcome.Rejected],
            Seconds = Math.Round(time.GetElapsedTime(_begun).TotalSeconds, 3),
            ItemsPerSecond = Math.Round(Rate, 1),
            Stopped = stopped,
            Reasons = _reasons,
        };
    }
}
