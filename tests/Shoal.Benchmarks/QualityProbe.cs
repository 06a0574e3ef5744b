using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What a probe saw of one published version. Scores are over items of the classes that had appeared in the stream by then.</summary>
/// <param name="Version">The version's number.</param>
/// <param name="Samples">Items of the stream trained on when the version was first seen: up to a second of training more than it knows of.</param>
/// <param name="IdleSteps">Rehearsal steps taken since the last of them.</param>
/// <param name="Steps">Optimisation steps taken in all.</param>
/// <param name="Seen">How many classes had appeared.</param>
/// <param name="Strict">The share that is right when a class is given at most one cluster.</param>
/// <param name="Purity">The share that is right when a cluster is called after its most frequent class.</param>
/// <param name="Clusters">How many clusters are shown: that an item of the probe is in.</param>
/// <param name="Recalls">Each class's share that is right when a cluster is called after its most frequent class; NaN before it appeared.</param>
/// <param name="Ids">The cluster id of every item of the probe, of classes that had not appeared too.</param>
internal sealed record ProbePoint(
    int Version, long Samples, int IdleSteps, long Steps, int Seen, double Strict, double Purity, int Clusters, double[] Recalls, int[] Ids);

/// <summary>Follows what published versions make of a sample of held-out items while a stream is trained on.</summary>
/// <remarks>
/// Recall is many-to-one: while fewer classes have appeared than there are clusters, one-to-one would hold it against a
/// class that it fills several. Classifying 1,000 items of 28x28 takes the silo's compute thread as long as a few steps of
/// training, once a version and at most every 5 s; <see cref="Busy"/> says how much it was in all.
/// </remarks>
/// <param name="client">Of the silo.</param>
/// <param name="data">Holds the test items.</param>
/// <param name="stream">The stream in its order, by which a class's first appearance is known.</param>
internal sealed class QualityProbe(ShoalClient client, LabelledData data, IReadOnlyList<SourceItem> stream)
{
    private const int Size = 1_000;

    // The same items in every run, so that runs are compared on the same ones.
    private const int Seed = 1;

    // A silo may answer by the version before for one second after a new one is out.
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(1.1);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    private readonly SourceItem[] _items = Sample(data);
    private readonly int[] _firsts = FirstAppearances(data, stream);
    private readonly List<ProbePoint> _curve = [];
    private readonly Stopwatch _busy = new();
    private Sighting? _newest;
    private Task _probing = Task.CompletedTask;
    private long? _probed;

    /// <summary>The versions probed so far, oldest first.</summary>
    public IReadOnlyList<ProbePoint> Curve => _curve;

    /// <summary>Where in the stream each class appears first; <see cref="int.MaxValue"/> for one that never does.</summary>
    public IReadOnlyList<int> Firsts => _firsts;

    /// <summary>The time spent waiting for classifications.</summary>
    public TimeSpan Busy => _busy.Elapsed;

    /// <summary>Begins to probe the published version when it is new and the last probe long enough ago; never waits for answers, so that the next version is seen in time.</summary>
    /// <param name="status">How the dataset stands now; to be shown often, so that it is known when a version came out.</param>
    public async Task LookAsync(DatasetStatus status)
    {
        Sight(status.Training);
        if (_probing.IsCompleted && _newest is { } newest && IsMissing(newest)
            && Stopwatch.GetElapsedTime(newest.At) >= Lag && (_probed is not { } last || Stopwatch.GetElapsedTime(last) >= Rest))
        {
            // What the last one failed with is thrown here.
            await _probing;
            _probing = ProbeAsync(newest);
        }
    }

    /// <summary>Probes the published version unless it has been; for when training rests.</summary>
    public async Task FinishAsync()
    {
        await _probing;
        Sight((await client.StatusAsync("bench")).Training);
        while (_newest is { } newest && IsMissing(newest))
        {
            await Task.Delay(Lag);
            await ProbeAsync(newest);
            Sight((await client.StatusAsync("bench")).Training);
        }
    }

    private bool IsMissing(Sighting sighting) => _curve.Count == 0 || _curve[^1].Version < sighting.Version;

    private void Sight(TrainingStatus training)
    {
        if (training is { Version: { } version, Progress: { } progress } && version.Version != _newest?.Version)
        {
            _newest = new Sighting(version.Version, Stopwatch.GetTimestamp(), training.Cursors.Sum(c => c.Next), progress);
        }
    }

    private async Task ProbeAsync(Sighting sighting)
    {
        _busy.Start();
        Classified answers = await Classified.OfAsync(client, data, _items, withEmbeddings: false);
        _busy.Stop();
        if (answers.Versions.All(version => version == sighting.Version))
        {
            // Otherwise a new version came out on the way: that one is probed next.
            _probed = Stopwatch.GetTimestamp();
            _curve.Add(Score(sighting, answers));
        }
    }

    private ProbePoint Score(Sighting sighting, Classified answers)
    {
        int[] seen = [.. Enumerable.Range(0, answers.Labels.Length).Where(i => _firsts[answers.Labels[i]] < sighting.Samples)];
        int[] clusters = [.. seen.Select(i => answers.Clusters[i])];
        int[] labels = [.. seen.Select(i => answers.Labels[i])];
        ClusterScores scores = ClusterScores.Of(clusters, labels);
        return new ProbePoint(
            sighting.Version, sighting.Samples, sighting.Progress.IdleSteps, sighting.Progress.Steps, labels.Distinct().Count(), scores.Accuracy, scores.Purity,
            answers.Clusters.Where(cluster => cluster >= 0).Distinct().Count(), ClusterScores.Recalls(clusters, labels, data.Classes.Length), answers.Clusters);
    }

    // As many of each class.
    private static SourceItem[] Sample(LabelledData data)
    {
        SourceItem[] items = [.. data.Test];
        new Random(Seed).Shuffle(items);
        return [.. items.GroupBy(data.LabelOf).OrderBy(kind => kind.Key).SelectMany(kind => kind.Take(Math.Max(1, Size / data.Classes.Length)))];
    }

    private static int[] FirstAppearances(LabelledData data, IReadOnlyList<SourceItem> stream)
    {
        var firsts = new int[data.Classes.Length];
        Array.Fill(firsts, int.MaxValue);
        foreach (var (i, item) in stream.Index().Reverse())
        {
            firsts[data.LabelOf(item)] = i;
        }

        return firsts;
    }

    // When a version was seen first, and how training stood then.
    private sealed record Sighting(int Version, long At, long Samples, SeatProgress Progress);
}
