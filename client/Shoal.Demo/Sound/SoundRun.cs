using System.Diagnostics;
using System.Runtime.InteropServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Media;
using Shoal.Media.Sound;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Demo;

/// <summary>What the demo of sound is asked for.</summary>
/// <param name="Data">The folder of its silo, as the user gave it.</param>
/// <param name="Fresh">Whether to start over.</param>
/// <param name="Recordings">A folder of recordings; null fetches drum kits.</param>
/// <param name="Most">The most recordings; null for all.</param>
/// <param name="Json">Whether to print figures as JSON.</param>
internal sealed record SoundRequest(string Data, bool Fresh, string? Recordings, int? Most, bool Json)
{
    /// <summary>Training steps on what is known after the last recording, as <see cref="DatasetSettings.IdleRehearsalSteps"/>.</summary>
    public int IdleSteps { get; init; } = 50;
}

/// <summary>Runs a silo in this process, streams recordings into it through the public ingest path, and shows what it hears.</summary>
/// <remarks>What files are called stays here: it only scores what the silo answers.</remarks>
internal sealed class SoundRun
{
    // Of each cluster on the contact sheet, and as many pixels each.
    private const int Exemplars = 8;
    private const int Pixels = 96;
    private const int TerminalCells = 16;

    private readonly ShoalClient _client;
    private readonly IAnsiConsole _console;
    private readonly SoundRequest _request;
    private readonly RecordingFolder _recordings;
    private readonly DatasetSettings _settings;
    private readonly string _dataset;
    private readonly List<(string Id, string? Kind)> _windows = [];
    private readonly ResidentMemory _memory = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _stored;
    private long _refused;
    private string? _reason;

    private SoundRun(ShoalClient client, IAnsiConsole console, SoundRequest request, RecordingFolder recordings)
    {
        (_client, _console, _request, _recordings) = (client, console, request, recordings);
        _dataset = request.Recordings is null ? "drums" : "sounds";

        // A hit has half a second; a window that begins within one has what another cuts in two.
        _settings = new DatasetSettings
        {
            Modality = DatasetSettings.Sound,
            Channels = 1,
            WindowSeconds = 0.5,
            HopSeconds = 0.25,
            Clusters = 12,

            // What strangers' recordings are of nobody knows here.
            Views = request.Recordings is null ? "timbre" : DatasetSettings.AutoViews,
            RoundSeconds = 5,
            IdleRehearsalSteps = request.IdleSteps,
        };
    }

    /// <summary>Runs it.</summary>
    /// <param name="request">What it is asked for.</param>
    /// <param name="console">Where it is shown.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(SoundRequest request, IAnsiConsole console, CancellationToken cancellationToken)
    {
        RecordingFolder recordings = await OpenAsync(request, console, cancellationToken);
        DemoSilo.Prepare(request.Data, request.Fresh);
        await using DemoSilo silo = await DemoSilo.StartAsync(request.Data, cancellationToken);
        var run = new SoundRun(silo.Client, console, request, recordings);
        await run.LearnAsync(cancellationToken);
        await run.ReportAsync();
        await silo.StopAsync();
        return 0;
    }

    private static async Task<RecordingFolder> OpenAsync(SoundRequest request, IAnsiConsole console, CancellationToken cancellationToken)
    {
        if (request.Recordings is { } folder)
        {
            return new RecordingFolder(folder, "*", request.Most, static id => id.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? id[..slash] : null);
        }

        try
        {
            // The kits' WAVs are enough, and need no ffmpeg.
            return new RecordingFolder(await SampleData.DrumsAsync(console.WriteLine, cancellationToken), "*.wav", request.Most, DrumKinds.Of);
        }
        catch (ShoalException failure) when (failure.Kind is ShoalErrorKind.Unavailable)
        {
            throw new ShoalException(failure.Kind, $"{failure.Message} The recordings of the demo are a Debian package; give others with --recordings FOLDER.", failure);
        }
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        var created = await _client.CreateDatasetAsync(_dataset, _settings, cancellationToken);
        _console.WriteLine(created
            ? $"Dataset '{_dataset}' is new. {_recordings.Count:N0} recordings go in, in random order, cut into windows of {_settings.WindowSeconds} s that begin every {_settings.HopSeconds} s."
            : $"Dataset '{_dataset}' is there from an earlier run and goes on; --fresh starts over.");
        Task ingest = IngestAsync(cancellationToken);
        if (_console.Profile.Capabilities.Interactive)
        {
            await _console.Live(new Text("starting")).StartAsync(live => WatchAsync(ingest, live.UpdateTarget, TimeSpan.FromSeconds(1), cancellationToken));
        }
        else
        {
            await WatchAsync(ingest, _console.Write, TimeSpan.FromSeconds(15), cancellationToken);
        }

        await ingest;
    }

    private async Task IngestAsync(CancellationToken cancellationToken)
    {
        IAsyncEnumerable<SourceItem> windows = new RecordingSource(_recordings, _settings).ReadAsync(cancellationToken);
        await foreach (IngestResult result in _client.IngestAsync(_dataset, windows, options: null, cancellationToken))
        {
            if (result.IsStored)
            {
                _windows.Add((result.Id, _recordings.KindOf(RecordingOf(result.Id))));
                Interlocked.Increment(ref _stored);
            }
            else
            {
                _reason ??= $"{result.Id}: {result.Reason}";
                Interlocked.Increment(ref _refused);
            }
        }

        if (_windows.Count == 0)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"None of the {_recordings.Count:N0} recordings can be read. {_reason}");
        }
    }

    private static string RecordingOf(string window) => window[..window.LastIndexOf('@')];

    /// <summary>Shows the dataset until everything is trained, rehearsed, published and assigned.</summary>
    private async Task WatchAsync(Task ingest, Action<Spectre.Console.Rendering.IRenderable> show, TimeSpan interval, CancellationToken cancellationToken)
    {
        TimeSpan shown = -interval;
        for (var done = false; !done; await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken))
        {
            var read = ingest.IsCompleted;
            DatasetStatus status = await _client.StatusAsync(_dataset, cancellationToken);
            _memory.Look();
            done = ingest.IsFaulted || (read && IsSettled(status));
            if (done || _clock.Elapsed - shown >= interval)
            {
                shown = _clock.Elapsed;
                ClusterSummary[] clusters = await _client.ClustersAsync(_dataset, 2, cancellationToken);
                var heard = new Heard(_recordings.Read, _recordings.Count ?? 0, Interlocked.Read(ref _stored), Interlocked.Read(ref _refused));
                show(SoundView.Progress(status, clusters, heard, _clock.Elapsed));
            }
        }
    }

    private static bool IsSettled(DatasetStatus status) =>
        status.Training.Cursors.Sum(c => c.Next) >= status.Shards.Sum(s => s.End)
        && status.Training is { Activity: "idle", Version: not null }
        && status.Shards.Sum(s => s.Pending + s.Stale) == 0;

    private async Task ReportAsync()
    {
        var seconds = _clock.Elapsed.TotalSeconds;
        ItemAnswer[] answers = await _client.GetManyAsync(_dataset, [.. _windows.Select(window => window.Id)]);
        (double Purity, double Largest)? score = Score(answers);
        DatasetStatus status = await _client.StatusAsync(_dataset);
        ClusterSummary[] clusters = [.. (await _client.ClustersAsync(_dataset, Exemplars)).Where(cluster => cluster.Exemplars.Length > 0)];
        var sheet = Path.Combine(_request.Data, $"{_dataset}-version-{status.Training.Version?.Version}.png");
        IReadOnlyList<(long Cluster, byte[] Levels)> pictures = await DrawAsync(clusters, sheet);
        if (_request.Json)
        {
            DemoView.WriteJson(
                ("demo.seconds", seconds, "s"), ("demo.rss_mb", ResidentMemory.Now, "MB"), ("demo.rss_growth_mb", _memory.Growth(), "MB"),
                ("demo.windows", _windows.Count, "windows"), ("demo.purity", score?.Purity ?? double.NaN, "fraction"));
            return;
        }

        _console.WriteLine();
        _console.Write(SoundView.Clusters(clusters, named: 3));
        if (_console.Profile.Capabilities is { Ansi: true, ColorSystem: ColorSystem.TrueColor or ColorSystem.EightBit, Unicode: true })
        {
            _console.Write(SoundView.Spectrograms(pictures, TerminalCells, _console.Profile.Width));
        }

        _console.WriteLine($"Spectrograms of {Exemplars} exemplars of each cluster: {sheet}");
        _console.WriteLine();
        RecordingAnswer timeline = await TimelineAsync(answers);
        _console.Write(RecordingViews.Timeline(timeline));
        _console.WriteLine($"{_recordings.Read:N0} recordings, {_windows.Count:N0} windows, {SoundView.Silent(status):N0} of them silent{(_refused > 0 ? $"; {_refused:N0} refused, the first {_reason}" : string.Empty)}");
        if (score is { } known)
        {
            _console.WriteLine($"Purity {known.Purity:P1} (the share of windows whose cluster is mostly of their kind, by names of files and folders, which the learner never saw; {known.Largest:P1} are of the commonest kind)");
        }

        _console.WriteLine($"Version {status.Training.Version?.Version}, {status.Training.Progress?.Steps:N0} steps, {status.Training.Progress?.BackwardPasses:N0} backward passes");
        _console.WriteLine(_memory.Sentence(seconds));
        _console.WriteLine();
        _console.WriteLine("How to go on:");
        _console.WriteLine($"  ./shoal serve --data {_request.Data}");
        _console.WriteLine($"  ./shoal query {_dataset} \"{timeline.Id}\"        (in a second terminal)");
        var window = clusters.SelectMany(cluster => cluster.Exemplars).Select(exemplar => exemplar.Id).FirstOrDefault() ?? _windows[0].Id;
        _console.WriteLine($"  ./shoal similar {_dataset} \"{window}\"");
        _console.WriteLine($"  ./shoal thumbnail {_dataset} \"{window}\" -o window.png");
        _console.WriteLine($"  ./shoal name {_dataset} {clusters.FirstOrDefault()?.Id} \"my favourite\"; ./shoal ingest {_dataset} FOLDER");
    }

    /// <summary>How clusters and kinds go together, over windows that have both; null where fewer than two kinds are known.</summary>
    private (double Purity, double Largest)? Score(ItemAnswer[] answers)
    {
        List<int> clusters = [];
        List<string> kinds = [];
        foreach ((ItemAnswer answer, (_, string? kind)) in answers.Zip(_windows))
        {
            if (answer.Cluster is { } cluster && kind is not null)
            {
                clusters.Add((int)cluster);
                kinds.Add(kind);
            }
        }

        string[] names = [.. kinds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (names.Length < 2)
        {
            return null;
        }

        int[] classes = [.. kinds.Select(kind => Array.BinarySearch(names, kind, StringComparer.Ordinal))];
        return (ClusterScores.Of(CollectionsMarshal.AsSpan(clusters), classes).Purity, classes.CountBy(kind => kind).Max(kind => kind.Value) / (double)classes.Length);
    }

    /// <summary>Writes the contact sheet; answers the first exemplar of each cluster in few cells, for the terminal.</summary>
    private async Task<IReadOnlyList<(long Cluster, byte[] Levels)>> DrawAsync(ClusterSummary[] clusters, string file)
    {
        List<(long Number, IReadOnlyList<byte[]> Pictures)> rows = [];
        List<(long Cluster, byte[] Levels)> small = [];
        SoundFormatOptions format = SoundSettings.Of(_settings);
        foreach (ClusterSummary cluster in clusters)
        {
            List<byte[]> pictures = [];
            foreach (Exemplar exemplar in cluster.Exemplars)
            {
                if (await _client.GetContentAsync(_dataset, exemplar.Id) is { } window && Spectrograms.LevelsOf(window.MediaType, window.Bytes, format, Pixels, out _) is { } levels)
                {
                    pictures.Add(levels);
                    if (pictures.Count == 1 && Spectrograms.LevelsOf(window.MediaType, window.Bytes, format, TerminalCells, out _) is { } few)
                    {
                        small.Add((cluster.Id, few));
                    }
                }
            }

            rows.Add((cluster.Id, pictures));
        }

        if (rows.Count > 0)
        {
            await File.WriteAllBytesAsync(file, ContactSheet.Draw(rows, Pixels));
        }

        return small;
    }

    /// <summary>The recording in which most changes are heard.</summary>
    private Task<RecordingAnswer> TimelineAsync(ItemAnswer[] answers)
    {
        IEnumerable<IGrouping<string, ItemAnswer>> recordings = answers.GroupBy(answer => RecordingOf(answer.Id), StringComparer.Ordinal);
        return _client.RecordingAsync(_dataset, recordings.MaxBy(windows => windows.Select(window => window.Cluster ?? -1).Distinct().Count())!.Key);
    }
}
