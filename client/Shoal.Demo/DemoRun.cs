using System.Diagnostics;
using System.Runtime.InteropServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Demo;

/// <summary>What the demo is asked for.</summary>
/// <param name="Data">The folder of its silo, as the user gave it.</param>
/// <param name="Fresh">Whether to start over.</param>
/// <param name="Items">How many images to stream; null for all.</param>
/// <param name="Json">Whether to print figures as JSON.</param>
internal sealed record DemoRequest(string Data, bool Fresh, int? Items, bool Json);

/// <summary>Runs a silo in this process, streams digits into it through the public ingest path, and shows what it learns.</summary>
/// <remarks>The labels stay here: they only score what the silo answers.</remarks>
internal sealed class DemoRun
{
    private const string Dataset = "digits";
    // Enough to know the accuracy within a point, and quick to ask for.
    private const int Scored = 1_000;

    private readonly ShoalClient _client;
    private readonly IAnsiConsole _console;
    private readonly List<SourceItem> _stream;
    private readonly ResidentMemory _memory = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _ingested;

    private DemoRun(ShoalClient client, IAnsiConsole console, List<SourceItem> stream)
    {
        _client = client;
        _console = console;
        _stream = stream;
    }

    /// <summary>Runs it.</summary>
    /// <param name="request">What it is asked for.</param>
    /// <param name="console">Where it is shown.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(DemoRequest request, IAnsiConsole console, CancellationToken cancellationToken)
    {
        DemoSilo.Prepare(request.Data, request.Fresh);
        List<SourceItem> stream = await StreamAsync(request, console, cancellationToken);
        await using DemoSilo silo = await DemoSilo.StartAsync(request.Data, cancellationToken);
        var run = new DemoRun(silo.Client, console, stream);
        await run.LearnAsync(cancellationToken);
        await run.ReportAsync(request);
        await silo.StopAsync();
        return 0;
    }

    private static async Task<List<SourceItem>> StreamAsync(DemoRequest request, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var folder = await SampleData.MnistAsync(console.WriteLine, cancellationToken);
        List<SourceItem> items = [];
        await foreach (SourceItem item in ItemSources.Open(folder).ReadAsync(cancellationToken))
        {
            if (item.Upload.Id.StartsWith("train", StringComparison.Ordinal))
            {
                items.Add(item);
            }
        }

        Span<SourceItem> shuffled = CollectionsMarshal.AsSpan(items);
        new Random(1).Shuffle(shuffled);
        return request.Items is { } count ? items[..Math.Min(count, items.Count)] : items;
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        var created = await _client.CreateDatasetAsync(Dataset, new DatasetSettings { Height = 28, Width = 28, Channels = 1, Clusters = 10 }, cancellationToken);
        _console.WriteLine(created
            ? $"Dataset '{Dataset}' is new. {_stream.Count:N0} unlabeled images go in, in random order."
            : $"Dataset '{Dataset}' is there from an earlier run and goes on; --fresh starts over.");
        Task ingest = IngestAsync(cancellationToken);
        DatasetStatus status;
        if (_console.Profile.Capabilities.Interactive)
        {
            status = await _console.Live(new Text("starting")).StartAsync(live => WatchAsync(ingest, live.UpdateTarget, TimeSpan.FromSeconds(1), cancellationToken));
        }
        else
        {
            status = await WatchAsync(ingest, _console.Write, TimeSpan.FromSeconds(15), cancellationToken);
        }

        await ingest;
    }

    private async Task IngestAsync(CancellationToken cancellationToken)
    {
        await foreach (IngestResult result in _client.IngestAsync(Dataset, _stream.ToAsyncEnumerable(), options: null, cancellationToken))
        {
            if (!result.IsStored)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, $"Item {result.Id} was not stored: {result.Reason}");
            }

            Interlocked.Increment(ref _ingested);
        }
    }

    /// <summary>Shows the dataset until everything is trained, rehearsed, published and assigned.</summary>
    private async Task<DatasetStatus> WatchAsync(Task ingest, Action<Spectre.Console.Rendering.IRenderable> show, TimeSpan interval, CancellationToken cancellationToken)
    {
        TimeSpan shown = -interval;
        while (true)
        {
            DatasetStatus status = await _client.StatusAsync(Dataset, cancellationToken);
            _memory.Look();
            var done = ingest.IsCompleted && IsSettled(status);
            if (done || ingest.IsFaulted || _clock.Elapsed - shown >= interval)
            {
                shown = _clock.Elapsed;
                ClusterSummary[] clusters = await _client.ClustersAsync(Dataset, 3, cancellationToken);
                show(DemoView.Progress(status, clusters, Interlocked.Read(ref _ingested), _stream.Count, _clock.Elapsed, await AccuracyAsync(status, cancellationToken)));
            }

            if (done || ingest.IsFaulted)
            {
                return status;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken);
        }
    }

    private bool IsSettled(DatasetStatus status) =>
        status.Training.Cursors.Sum(c => c.Next) >= _stream.Count
        && status.Training is { Activity: "idle", Version: not null }
        && status.Shards.Sum(s => s.Pending + s.Stale) == 0;

    /// <summary>Accuracy of the best matching of clusters to digits, over items that are assigned now; null before there are any.</summary>
    private async Task<double?> AccuracyAsync(DatasetStatus status, CancellationToken cancellationToken)
    {
        if (status.Training.Version is null)
        {
            return null;
        }

        SourceItem[] sample = [.. _stream.Take((int)Interlocked.Read(ref _ingested)).Take(Scored)];
        return await ScoreAsync(sample, cancellationToken);
    }

    private async Task<double?> ScoreAsync(IReadOnlyList<SourceItem> sample, CancellationToken cancellationToken)
    {
        List<int> clusters = [];
        List<int> labels = [];
        foreach (SourceItem[] chunk in sample.Chunk(1_024))
        {
            ItemAnswer[] answers = await _client.GetManyAsync(Dataset, [.. chunk.Select(i => i.Upload.Id)], cancellationToken);
            for (var i = 0; i < answers.Length; i++)
            {
                if (answers[i].Cluster is { } cluster)
                {
                    clusters.Add((int)cluster);
                    labels.Add(int.Parse(chunk[i].Label!, null));
                }
            }
        }

        return clusters.Count == 0 ? null : ClusterScores.Of(CollectionsMarshal.AsSpan(clusters), CollectionsMarshal.AsSpan(labels)).Accuracy;
    }

    private async Task ReportAsync(DemoRequest request)
    {
        var seconds = _clock.Elapsed.TotalSeconds;
        var accuracy = await ScoreAsync(_stream, CancellationToken.None);
        DatasetStatus status = await _client.StatusAsync(Dataset);
        if (request.Json)
        {
            DemoView.WriteJson(("demo.seconds", seconds, "s"), ("demo.rss_mb", ResidentMemory.Now, "MB"), ("demo.rss_growth_mb", _memory.Growth(), "MB"), ("demo.accuracy", accuracy ?? double.NaN, "fraction"));
            return;
        }

        ItemAnswer[] answers = await _client.GetManyAsync(Dataset, [.. _stream.Take(10).Select(i => i.Upload.Id)]);
        _console.WriteLine();
        _console.Write(DemoView.Items(answers, [.. _stream.Take(10).Select(i => i.Label ?? "?")]));
        ClusterSummary[] clusters = await _client.ClustersAsync(Dataset, 3);
        _console.Write(ShoalViews.Clusters(clusters));
        _console.WriteLine($"Accuracy {accuracy:P1} (best matching of clusters to digits, over all {_stream.Count:N0}; the learner never saw a label)");
        _console.WriteLine($"Version {status.Training.Version?.Version}, {status.Training.Progress?.Steps:N0} steps, {status.Training.Progress?.BackwardPasses:N0} backward passes");
        _console.WriteLine(_memory.Sentence(seconds));
        _console.WriteLine();
        _console.WriteLine("How to go on:");
        _console.WriteLine($"  ./shoal serve --data {request.Data}");
        _console.WriteLine($"  ./shoal query {Dataset} {_stream[0].Upload.Id}        (in a second terminal)");
        _console.WriteLine($"  ./shoal clusters {Dataset}; ./shoal similar {Dataset} {_stream[0].Upload.Id}; ./shoal name {Dataset} {clusters.FirstOrDefault()?.Id} \"my favourite\"");
    }
}
