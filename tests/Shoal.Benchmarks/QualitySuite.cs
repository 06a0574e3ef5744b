using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.TestKit;

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

    /// <summary>The dataset's settings.</summary>
    public DatasetSettings Settle(DatasetSettings settings) => settings with { Clusters = Clusters ?? settings.Clusters, Objectives = Objectives };
}

/// <summary>
/// Measures how well unlabeled streams become clusters: one pass through public ingest into a real silo process, with
/// the index pump on. Labels stay in this process; test items are classified without being stored; the version that is
/// published at the end is measured, and nothing is chosen by labels.
/// </summary>
internal static class QualitySuite
{
    // A reference of 10,000 train items moves kNN accuracy on MNIST by less than 0.3 points; the full split is used up to this.
    private const int MaxReference = 60_000;
    private const int LongRehearsal = 800;
    private const string AfterRehearsal = "_after_rehearsal";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(45);

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(QualityRequest request, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(request.Data);
        FigureWriter.Tell($"{data.Name}: {data.Train.Count:N0} items to ingest, {data.Test.Count:N0} held out, {data.Classes.Length} classes");
        await MachineSpeed.WriteAsync(figures);
        var rehearsal = request.Rehearsal ?? (StreamOrder.IsShuffled(request.Stream) ? data.Settings.IdleRehearsalSteps : LongRehearsal);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["data"] = data.Name,
            ["stream"] = request.Stream,
            ["items"] = Math.Min(data.Train.Count, request.Limit ?? int.MaxValue),
            ["clusters"] = request.Settle(data.Settings).Clusters is var clusters && clusters > 0 ? clusters : "auto",
            ["objectives"] = request.Objectives,
            ["rehearsal"] = rehearsal,
        };
        for (var seed = request.FirstSeed; seed < request.FirstSeed + request.Seeds; seed++)
        {
            await RunSeedAsync(request with { Rehearsal = rehearsal }, data, seed, settings, figures);
        }

        foreach (var name in new[] { "quality.strict", "quality.strict" + AfterRehearsal, "quality.balanced", "quality.many_to_one", "quality.knn", "quality.served", "quality.nmi", "quality.ari", "quality.purity_2k" })
        {
            figures.Summarize(name, higherIsBetter: true, settings);
        }

        figures.Summarize("quality.seconds", higherIsBetter: false, settings);
    }

    private static async Task RunSeedAsync(
        QualityRequest request, LabelledData data, int seed, IReadOnlyDictionary<string, object?> settings, FigureWriter figures)
    {
        var folder = Directory.CreateTempSubdirectory("shoal-quality-");
        try
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(folder.FullName, "--log", "Warning");
            await using ShoalClient client = await silo.ConnectAsync();
            if (seed == request.FirstSeed)
            {
                await MachineSpeed.WriteRpcAsync(figures, client);
            }

            var shuffled = StreamOrder.IsShuffled(request.Stream);
            await client.CreateDatasetAsync("bench", request.Settle(data.Settings) with { Seed = seed, IdleRehearsalSteps = shuffled ? request.Rehearsal!.Value : 0 });
            List<SourceItem> stream = StreamOrder.Of(request.Stream, data, seed);
            stream = request.Limit is { } limit ? [.. stream.Take(limit)] : stream;
            var clock = Stopwatch.StartNew();
            await IngestAsync(client, stream);
            DatasetStatus status = await WaitAsync(client, stream.Count, clock);
            figures.Write("quality.seconds", clock.Elapsed.TotalSeconds, "s", seed, settings);
            figures.Write("quality.backward_passes", status.Training.Progress!.BackwardPasses, "samples", seed, settings);
            figures.Write("quality.steps", status.Training.Progress.Steps, "steps", seed, settings);
            figures.Write("quality.segments", status.Training.Progress.Segments, "segments", seed, settings);
            figures.Write("quality.versions", status.Training.Version!.Version, "versions", seed, settings);
            figures.Write("quality.refused", status.Training.Refused, "versions", seed, settings);
            await MeasureAsync(client, data, stream, seed, settings, string.Empty, figures);
            if (shuffled)
            {
                return;
            }

            // Idle time is where a stream that was not shuffled is made up for: measured before it, and after.
            await client.ChangeDatasetAsync("bench", new DatasetChange { IdleRehearsalSteps = request.Rehearsal });
            await WaitAsync(client, stream.Count, clock);
            figures.Write("quality.seconds" + AfterRehearsal, clock.Elapsed.TotalSeconds, "s", seed, settings);
            await MeasureAsync(client, data, stream, seed, settings, AfterRehearsal, figures);
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
    private static async Task<DatasetStatus> WaitAsync(ShoalClient client, int items, Stopwatch clock)
    {
        var told = TimeSpan.Zero;
        while (true)
        {
            DatasetStatus status = await client.StatusAsync("bench");
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

    private static async Task MeasureAsync(
        ShoalClient client, LabelledData data, List<SourceItem> stream, int seed, IReadOnlyDictionary<string, object?> settings,
        string suffix, FigureWriter figures)
    {
        void Write(string name, double value, string unit) => figures.Write(name + suffix, value, unit, seed, settings);
        Classified test = await ClassifyAsync(client, data, data.Test);
        (int[] clusters, int[] labels, float[] embeddings, var width) = (test.Clusters, test.Labels, test.Embeddings, test.Width);
        ClusterScores scores = ClusterScores.Of(clusters, labels);
        Write("quality.strict", scores.Accuracy, "fraction");
        Write("quality.balanced", scores.BalancedAccuracy, "fraction");
        Write("quality.many_to_one", scores.Purity, "fraction");
        Write("quality.clusters", clusters.Distinct().Count(), "clusters");
        Write("quality.nmi", scores.NormalizedMutualInformation, "fraction");
        Write("quality.ari", scores.AdjustedRandIndex, "fraction");
        Write("quality.calibration_error", Calibration.Error(test.Confidences, clusters, labels), "fraction");
        Write("quality.served", await ServedAsync(client, data, stream), "fraction");

        List<SourceItem> reference = stream.Count <= MaxReference ? stream : [.. stream.Take(MaxReference)];
        Classified known = await ClassifyAsync(client, data, reference);
        Write("quality.knn", Share(NearestNeighbours.Predict(known.Embeddings, known.Labels, embeddings, width), labels), "fraction");
        Write("quality.linear", Share(LinearProbe.Predict(known.Embeddings, known.Labels, embeddings, width, seed), labels), "fraction");
        int[] fine = KMeans.Cluster(embeddings, width, 2 * data.Classes.Length, seed);
        Write("quality.purity_2k", ClusterScores.Of(fine, labels).Purity, "fraction");
    }

    private sealed record Classified(int[] Clusters, double[] Confidences, int[] Labels, float[] Embeddings, int Width);

    private static async Task<Classified> ClassifyAsync(
        ShoalClient client, LabelledData data, IReadOnlyList<SourceItem> items)
    {
        Dictionary<string, int> positions = items.Select((item, i) => (item.Upload.Id, i)).ToDictionary(x => x.Id, x => x.i, StringComparer.Ordinal);
        var clusters = new int[items.Count];
        var confidences = new double[items.Count];
        float[] embeddings = [];
        var width = 0;
        await foreach (ClassifiedItem answer in client.ClassifyAsync("bench", items.Select(i => i.Upload).ToAsyncEnumerable(), withEmbeddings: true))
        {
            var at = positions[answer.Id];
            clusters[at] = (int)(answer.Answer.Cluster ?? -1);
            confidences[at] = answer.Answer.Confidence;
            if (answer.Answer.Embedding is { } bytes)
            {
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes);
                width = halves.Length;
                embeddings = embeddings.Length == 0 ? new float[items.Count * width] : embeddings;
                TensorPrimitives.ConvertToSingle(halves, embeddings.AsSpan(at * width, width));
            }
        }

        return new Classified(clusters, confidences, [.. items.Select(data.LabelOf)], embeddings, width);
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

    private static double Share(int[] predicted, int[] actual) => predicted.Zip(actual, (p, a) => p == a ? 1.0 : 0.0).Average();
}
