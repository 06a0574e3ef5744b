using System.Diagnostics;
using System.Runtime.InteropServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What a quality run is asked for.</summary>
/// <param name="Data">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
/// <param name="Stream">The order in which items arrive; see <see cref="StreamOrder"/>.</param>
/// <param name="FirstSeed">The first seed.</param>
/// <param name="Seeds">How many seeds.</param>
internal sealed record QualityRequest(string Data, string Stream, int FirstSeed, int Seeds)
{
    /// <summary>The most items ingested; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Idle rehearsal steps; null for the stream's default.</summary>
    public int? Rehearsal { get; init; }

    /// <summary>The most clusters, 0 for as many as there are; null for one a class.</summary>
    public int? Clusters { get; init; }

    /// <summary>Objectives by name and weight; null for the learner's default.</summary>
    public IReadOnlyDictionary<string, double>? Objectives { get; init; }

    /// <summary>Which past samples are rehearsed.</summary>
    public string Replay { get; init; } = DatasetSettings.Reservoir;

    /// <summary>How many silos learn together, each on one core.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary><see cref="DatasetSettings.OuterMomentum"/>.</summary>
    public double OuterMomentum { get; init; }

    /// <summary>The folder that pictures of the first seed are written to; null for none.</summary>
    public string? Pictures { get; init; }

    /// <summary>The dataset's settings.</summary>
    public DatasetSettings Settle(DatasetSettings settings) => settings with { Clusters = Clusters ?? settings.Clusters, Objectives = Objectives, Replay = Replay, OuterMomentum = OuterMomentum };
}

/// <summary>What a seed's run leaves for pictures.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Items">How many items were ingested.</param>
/// <param name="Probe">The curve.</param>
/// <param name="End">All test items at the end of the stream.</param>
/// <param name="AfterRehearsal">The same after rehearsal; null when the stream is not measured again.</param>
internal sealed record QualityRun(int Seed, int Items, QualityProbe Probe, Classified End, Classified? AfterRehearsal);

/// <summary>
/// Measures how well unlabeled streams become clusters: one pass through public ingest into a real silo process, with
/// the index pump on. Labels stay in this process; test items are classified without being stored; the version that is
/// published at the end is measured, and nothing is chosen by labels. A <see cref="QualityProbe"/> follows the versions until then.
/// </summary>
internal static class QualitySuite
{
    // A reference of 10,000 train items moves kNN accuracy on MNIST by less than 0.3 points; the full split is used up to this.
    private const int MaxReference = 60_000;
    private const int LongRehearsal = 800;

    // Collections of recordings are small: 2,700 spoken digits are 28 steps.
    private const int RehearsalOfSound = 2_500;
    private const string AfterRehearsal = "_after_rehearsal";

    private static readonly string[] HigherIsBetter =
    [
        "quality.strict", "quality.strict" + AfterRehearsal, "quality.balanced", "quality.many_to_one", "quality.knn", "quality.served",
        "quality.nmi", "quality.ari", "quality.purity_2k", "quality.id_stability",
    ];

    private static readonly string[] LowerIsBetter = ["quality.seconds", "quality.forgetting", "quality.forgetting" + AfterRehearsal];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(45);

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(QualityRequest request, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(request.Data);
        QualityPictures? pictures = request.Pictures is { } folder ? await QualityPictures.OpenAsync(folder, data, request.Stream) : null;
        FigureWriter.Tell($"{data.Name}: {data.Train.Count:N0} items to ingest, {data.Test.Count:N0} held out, {data.Classes.Length} classes");
        await MachineSpeed.WriteAsync(figures);
        var rehearsal = request.Rehearsal ?? (data.Settings.Modality is DatasetSettings.Sound ? RehearsalOfSound : StreamOrder.IsShuffled(request.Stream) ? data.Settings.IdleRehearsalSteps : LongRehearsal);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["data"] = data.Name,
            ["stream"] = request.Stream,
            ["items"] = Math.Min(data.Train.Count, request.Limit ?? int.MaxValue),
            ["clusters"] = request.Settle(data.Settings).Clusters is var clusters && clusters > 0 ? clusters : "auto",
            ["objectives"] = request.Objectives,
            ["replay"] = request.Replay,
            ["rehearsal"] = rehearsal,
            ["replicas"] = request.Replicas,
            ["outer_momentum"] = request.OuterMomentum,
        };
        for (var seed = request.FirstSeed; seed < request.FirstSeed + request.Seeds; seed++)
        {
            QualityRun run = await RunSeedAsync(request with { Rehearsal = rehearsal }, data, seed, settings, figures);
            WriteCurve(data, run.Probe.Curve, seed, settings, figures);
            if (seed == request.FirstSeed)
            {
                pictures?.Draw(run);
            }
        }

        foreach (var name in HigherIsBetter)
        {
            figures.Summarize(name, higherIsBetter: true, settings);
        }

        foreach (var name in LowerIsBetter)
        {
            figures.Summarize(name, higherIsBetter: false, settings);
        }
    }

    private static async Task<QualityRun> RunSeedAsync(
        QualityRequest request, LabelledData data, int seed, IReadOnlyDictionary<string, object?> settings, FigureWriter figures)
    {
        var folder = Directory.CreateTempSubdirectory("shoal-quality-");
        try
        {
            await using BenchSilos silos = await BenchSilos.StartAsync(folder.FullName, request.Replicas);
            await using ShoalClient client = await silos.ConnectAsync();
            if (seed == request.FirstSeed)
            {
                await MachineSpeed.WriteRpcAsync(figures, client);
            }

            var shuffled = StreamOrder.IsShuffled(request.Stream);
            await client.CreateDatasetAsync("bench", request.Settle(data.Settings) with { Seed = seed, IdleRehearsalSteps = shuffled ? request.Rehearsal!.Value : 0 });
            List<SourceItem> stream = StreamOrder.Of(request.Stream, data, seed, request.Limit);
            var clock = Stopwatch.StartNew();
            var probe = new QualityProbe(client, data, stream);
            Task ingest = IngestAsync(client, stream);
            DatasetStatus status = await WaitAsync(client, ingest, probe, stream.Count, clock);
            figures.Write("quality.seconds", clock.Elapsed.TotalSeconds, "s", seed, settings);
            figures.Write("quality.backward_passes", status.Training.Progress!.BackwardPasses, "samples", seed, settings);
            figures.Write("quality.steps", status.Training.Progress.Steps, "steps", seed, settings);
            figures.Write("quality.segments", status.Training.Progress.Segments, "segments", seed, settings);
            figures.Write("quality.versions", status.Training.Version!.Version, "versions", seed, settings);
            figures.Write("quality.refused", status.Training.Refused, "versions", seed, settings);
            Classified end = await MeasureAsync(client, data, stream, probe, seed, settings, string.Empty, figures);
            figures.Write("quality.probe_seconds", probe.Busy.TotalSeconds, "s", seed, settings);
            if (shuffled)
            {
                return new QualityRun(seed, stream.Count, probe, end, null);
            }

            // Idle time is where a stream that was not shuffled is made up for: measured before it, and after.
            await client.ChangeDatasetAsync("bench", new DatasetChange { IdleRehearsalSteps = request.Rehearsal });
            await WaitAsync(client, ingest, probe, stream.Count, clock);
            figures.Write("quality.seconds" + AfterRehearsal, clock.Elapsed.TotalSeconds, "s", seed, settings);
            return new QualityRun(seed, stream.Count, probe, end, await MeasureAsync(client, data, stream, probe, seed, settings, AfterRehearsal, figures));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task IngestAsync(ShoalClient client, List<SourceItem> stream)
    {
        long refused = 0;
        await foreach (IngestResult result in client.IngestAsync("bench", stream.Select(i => i.Upload).ToAsyncEnumerable()))
        {
            refused += result.IsStored ? 0 : 1;
        }

        if (refused > 0)
        {
            FigureWriter.Tell($"{refused:N0} items were refused");
        }
    }

    /// <summary>Waits until every item is trained on, rehearsal is done, the last version is out, and every item is assigned by it.</summary>
    private static async Task<DatasetStatus> WaitAsync(ShoalClient client, Task ingest, QualityProbe probe, int items, Stopwatch clock)
    {
        var told = TimeSpan.Zero;
        while (true)
        {
            if (ingest.IsFaulted)
            {
                await ingest;
            }

            DatasetStatus status = await client.StatusAsync("bench");
            await probe.LookAsync(status);
            var trained = status.Training.Cursors.Sum(c => c.Next);
            var settled = status.Shards.Sum(s => s.Pending + s.Stale) == 0;
            if (trained >= items && settled && status.Training is { Activity: "idle", Version: not null })
            {
                return status;
            }

            if (clock.Elapsed - told > TimeSpan.FromSeconds(15))
            {
                told = clock.Elapsed;
                FigureWriter.Tell($"{clock.Elapsed.TotalSeconds,5:F0} s  {status.Training.Activity,-12} trained {trained:N0}  step {status.Training.Progress?.Steps:N0}  version {status.Training.Version?.Version ?? 0}  stale {status.Shards.Sum(s => s.Stale):N0}  {status.Training.Problem}");
            }

            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"Waiting for training to rest: {status.Training.Activity}, {trained:N0} of {items:N0} trained after {clock.Elapsed}.");
            }

            await Task.Delay(100);
        }
    }

    private static async Task<Classified> MeasureAsync(
        ShoalClient client, LabelledData data, List<SourceItem> stream, QualityProbe probe, int seed, IReadOnlyDictionary<string, object?> settings,
        string suffix, FigureWriter figures)
    {
        void Write(string name, double value, string unit) => figures.Write(name + suffix, value, unit, seed, settings);
        await probe.FinishAsync();
        Classified test = await Classified.OfAsync(client, data, data.Test, withEmbeddings: true);
        (int[] clusters, int[] labels, float[] embeddings, var width) = (test.Clusters, test.Labels, test.Embeddings, test.Width);
        ClusterScores scores = ClusterScores.Of(clusters, labels);
        Write("quality.strict", scores.Accuracy, "fraction");
        Write("quality.balanced", scores.BalancedAccuracy, "fraction");
        Write("quality.many_to_one", scores.Purity, "fraction");
        Write("quality.clusters", clusters.Where(cluster => cluster >= 0).Distinct().Count(), "clusters");
        Write("quality.outliers", clusters.Count(cluster => cluster < 0) / (double)clusters.Length, "fraction");
        Write("quality.nmi", scores.NormalizedMutualInformation, "fraction");
        foreach (var field in data.Fields)
        {
            (int[] positions, int[] values) = data.FieldOf(field);
            Write("quality.nmi." + field, ClusterScores.Shared([.. positions.Select(item => clusters[item])], values), "fraction");
        }

        Write("quality.ari", scores.AdjustedRandIndex, "fraction");
        Write("quality.calibration_error", Calibration.Error(test.Confidences, clusters, labels), "fraction");
        Write("quality.served", await ServedAsync(client, data, stream), "fraction");

        List<SourceItem> reference = stream.Count <= MaxReference ? stream : [.. stream.Take(MaxReference)];
        Classified known = await Classified.OfAsync(client, data, reference, withEmbeddings: true);
        Write("quality.knn", Share(NearestNeighbours.Predict(known.Embeddings, known.Labels, embeddings, width), labels), "fraction");
        Write("quality.linear", Share(LinearProbe.Predict(known.Embeddings, known.Labels, embeddings, width, seed), labels), "fraction");
        int[] fine = KMeans.Cluster(embeddings, width, 2 * data.Classes.Length, seed);
        Write("quality.purity_2k", ClusterScores.Of(fine, labels).Purity, "fraction");
        WriteStability(data, probe, stream.Count, seed, settings, suffix, figures);
        return test;
    }

    /// <summary>What the curve so far says: of forgetting, and of ids in the second half of the stream and after it.</summary>
    private static void WriteStability(
        LabelledData data, QualityProbe probe, int items, int seed, IReadOnlyDictionary<string, object?> settings, string suffix, FigureWriter figures)
    {
        double[][] recalls = [.. probe.Curve.Select(point => point.Recalls)];
        figures.Write("quality.forgetting" + suffix, Forgetting.Mean(recalls), "fraction", seed, settings);
        figures.WriteSeries(
            "quality.forgetting.class" + suffix, "fraction", seed, settings,
            [.. Forgetting.OfClasses(recalls).Select((lost, kind) => (lost, At(("class", data.Classes[kind]))))]);
        var changes = IdStability.Changes([.. probe.Curve.Where(point => point.Samples >= items / 2).Select(point => point.Ids)]);
        figures.Write("quality.id_changes" + suffix, changes, "fraction", seed, settings);
        figures.Write("quality.id_stability" + suffix, 1 - changes, "fraction", seed, settings);
    }

    private static void WriteCurve(LabelledData data, IReadOnlyList<ProbePoint> curve, int seed, IReadOnlyDictionary<string, object?> settings, FigureWriter figures)
    {
        Write("quality.curve.strict", "fraction", point => point.Strict);
        Write("quality.curve.purity", "fraction", point => point.Purity);
        Write("quality.curve.clusters", "clusters", point => point.Clusters);
        figures.WriteSeries(
            "quality.curve.recall", "fraction", seed, settings,
            [.. curve.SelectMany(p => p.Recalls.Select((recall, kind) => (recall, At(("samples", p.Samples), ("idle_steps", p.IdleSteps), ("version", p.Version), ("class", data.Classes[kind])))))],
            asText: false);

        void Write(string name, string unit, Func<ProbePoint, double> value) => figures.WriteSeries(
            name, unit, seed, settings,
            [.. curve.Select(p => (value(p), At(("samples", p.Samples), ("idle_steps", p.IdleSteps), ("version", p.Version), ("classes", p.Seen))))]);
    }

    private static Dictionary<string, object?> At(params ReadOnlySpan<(string Name, object Value)> settings)
    {
        var at = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in settings)
        {
            at[name] = value;
        }

        return at;
    }

    /// <summary>Scores what queries answer for the ingested items themselves.</summary>
    private static async Task<double> ServedAsync(ShoalClient client, LabelledData data, List<SourceItem> stream)
    {
        var clusters = new List<int>(stream.Count);
        foreach (SourceItem[] chunk in stream.Chunk(1_024))
        {
            ItemAnswer[] answers = await client.GetManyAsync("bench", [.. chunk.Select(i => i.Upload.Id)]);
            clusters.AddRange(answers.Select(a => (int)(a.Cluster ?? -1)));
        }

        return ClusterScores.Of(CollectionsMarshal.AsSpan(clusters), [.. stream.Select(data.LabelOf)]).Accuracy;
    }

    /// <summary>The share of predictions that are right.</summary>
    /// <param name="predicted">The predicted classes.</param>
    /// <param name="actual">The actual ones, as many.</param>
    public static double Share(int[] predicted, int[] actual) => predicted.Zip(actual, (p, a) => p == a ? 1.0 : 0.0).Average();
}
