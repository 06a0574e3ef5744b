using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>One run: a silo that is killed again and again, and what is remembered of its promises.</summary>
/// <param name="program">The project that the silo is built from.</param>
/// <param name="folder">The silo's data folder.</param>
/// <param name="arguments">More arguments for the silo.</param>
/// <param name="seed">Of moments and counts.</param>
internal sealed class RecoveryRun(string program, string folder, string[] arguments, int seed)
{
    private const string Dataset = "recovery";
    private const int Size = 12;
    private const int Producers = 4;
    private const int Batch = 32;
    private const int Checked = 200;

    // One in so many acknowledged items is deleted.
    private const int DeleteOneIn = 20;

    // Sent again after each kill, whether they were acknowledged or not, by two producers at once.
    private const int SentAgain = 300;
    private const string Name = "kept";

    private static readonly DatasetSettings Settings = new()
    {
        Height = Size,
        Width = Size,
        Channels = 1,
        Clusters = 4,
        Shards = 4,
        RoundSeconds = 1,
        IdleRehearsalSteps = 1_000_000,
        ReplaySize = 1_000,
    };

    // The write, and the most that may come before it.
    private static readonly (string Point, int Most)[] Points =
    [
        ("append:before:.seg", 400), ("append:half:.seg", 400), ("append:after:.seg", 400),
        ("append:after:.seg", 6),
        ("put:before:manifest.json", 4), ("put:after:manifest.json", 4),
        ("put:after:/model.safetensors", 4), ("put:after:/optimizer.safetensors", 4), ("put:after:/replay.safetensors", 4),
        ("put:after:/progress.safetensors", 4), ("put:after:/candidate.safetensors", 4), ("put:after:/bank", 4),
        ("put:before:registry.json", 2), ("put:after:registry.json", 2),
        ("put:before:01.seg", 4), ("put:after:01.seg", 4), ("delete:before:.seg", 4), ("delete:after:.safetensors", 8),
        (Moment, 0),
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private const string Moment = "any moment";
    private const string Half = ":half:";

    // Between a producer's batches: everything that was ever sent is asked for after each kill, so that a hundred of them are to send a million items, not ten.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Random _random = new(seed);
    private readonly ConcurrentDictionary<string, bool> _doomed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _deleted = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<string> _sent = [];
    private int _next;
    private int _version;
    private bool _named;

    /// <summary>Whether the store appends whole blocks or nothing, so that half of one is nothing that a kill could leave.</summary>
    public bool AppendsWhole { get; init; }

    /// <summary>How long a silo lives at least.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How long it lives at most.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(12);

    public Dictionary<string, int> Ended { get; } = new(StringComparer.Ordinal);

    public List<double> IngestSeconds { get; } = [];

    public List<double> TrainingSeconds { get; } = [];

    public int Acknowledged => _acknowledged.Count;

    public int Deleted => _deleted.Count;

    public int Lost { get; private set; }

    public long Doubled { get; private set; }

    public int Undeleted { get; private set; }

    public int Regressed { get; private set; }

    public async Task RunAsync(int kills)
    {
        var points = Array.FindAll(Points, point => !AppendsWhole || !point.Point.Contains(Half, StringComparison.Ordinal));
        var dead = Stopwatch.StartNew();
        for (var kill = 0; kill <= kills; kill++)
        {
            var (point, most) = points[kill % points.Length];
            var random = string.Equals(point, Moment, StringComparison.Ordinal);
            await using SiloProcess silo = await SiloProcess.StartAsync(program, folder, random || kill == kills ? null : $"{point}:{1 + _random.Next(most)}", arguments);
            try
            {
                await LiveAsync(silo, kill, kill == kills, dead);
            }
            catch (Exception e) when (silo.HasEnded && e is ShoalException or TimeoutException or IOException or OperationCanceledException)
            {
                // It ended while it was asked: what was acknowledged until then stands.
            }

            catch (ShoalException e) when (e.Kind == ShoalErrorKind.Damaged)
            {
                // The silo itself sees that what it acknowledged is gone.
                Lost += Told("lost", [e.Message]);
                return;
            }

            if (kill < kills)
            {
                var name = silo.HasEnded && !random ? point : Moment;
                await silo.KillAsync();
                Ended[name] = Ended.GetValueOrDefault(name) + 1;
                FigureWriter.Tell($"{kill + 1,4} of {kills} kills, at {name}: {Acknowledged:N0} items acknowledged, {Lost} lost");
                dead.Restart();
            }
        }
    }

    private async Task LiveAsync(SiloProcess silo, int kill, bool last, Stopwatch dead)
    {
        if (silo.HasEnded)
        {
            return;
        }

        using var stop = new CancellationTokenSource();
        Task watch = WatchAsync(silo, stop);
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync(Dataset, Settings, stop.Token);
        await StoreAsync(client, 1, stop.Token);
        if (kill > 0)
        {
            IngestSeconds.Add(dead.Elapsed.TotalSeconds);

            // Before the check, which asks for every item that was ever sent.
            await TrainAsync(client, stop.Token);
            TrainingSeconds.Add(dead.Elapsed.TotalSeconds);
            await SendAgainAsync(client, stop.Token);
            await CheckAsync(client, stop.Token);
        }

        if (last)
        {
            await stop.CancelAsync();
            await watch;
            return;
        }

        stop.CancelAfter(Shortest + (_random.NextDouble() * (Longest - Shortest)));
        Task[] work = [.. Enumerable.Range(0, Producers).Select(_ => ProduceAsync(client, stop.Token)), DeleteAsync(client, stop.Token)];
        await watch;

        // At a moment of its own choosing it has ended already.
        await silo.KillAsync();
        await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Ends when the time is over, or the silo has ended.</summary>
    private static async Task WatchAsync(SiloProcess silo, CancellationTokenSource stop)
    {
        while (!silo.HasEnded && !stop.IsCancellationRequested)
        {
            await Task.Delay(20);
        }

        await stop.CancelAsync();
    }

    private async Task ProduceAsync(ShoalClient client, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            await StoreAsync(client, Batch, token);
            await Task.Delay(Pause, token);
        }
    }

    private Task StoreAsync(ShoalClient client, int count, CancellationToken token)
    {
        var first = Interlocked.Add(ref _next, count) - count;
        ItemUpload[] items = [.. Enumerable.Range(first, count).Select(Item)];
        Array.ForEach(items, item => _sent.Add(item.Id));
        return StoreAsync(client, items, token);
    }

    // A producer does not know what became of what it sent last; nor does another that has the same folder.
    private async Task SendAgainAsync(ShoalClient client, CancellationToken token)
    {
        ItemUpload[] again = [.. _sent.Where(id => !_doomed.ContainsKey(id)).OrderBy(id => !_acknowledged.ContainsKey(id) ? 0 : 1 + _random.NextDouble()).Take(SentAgain)
            .Select(id => Item(int.Parse(id, CultureInfo.InvariantCulture)))];
        await Task.WhenAll(StoreAsync(client, again, token), StoreAsync(client, again, token));
    }

    private async Task StoreAsync(ShoalClient client, ItemUpload[] items, CancellationToken token)
    {
        await foreach (IngestResult result in client.IngestAsync(Dataset, items.ToAsyncEnumerable(), cancellationToken: token))
        {
            if (result.IsStored)
            {
                _acknowledged[result.Id] = true;
            }
        }
    }

    private async Task DeleteAsync(ShoalClient client, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            string[] doomed = [.. _acknowledged.Keys.Where(id => id.GetHashCode(StringComparison.Ordinal) % DeleteOneIn == 0 && !_deleted.ContainsKey(id)).Take(Batch)];

            // Remembered before: whether one that was asked for and not answered is there is nobody's promise.
            Array.ForEach(doomed, id => _doomed[id] = true);
            Array.ForEach(doomed, id => _acknowledged.TryRemove(id, out _));
            if (doomed.Length > 0)
            {
                await client.DeleteAsync(Dataset, doomed, token);
                Array.ForEach(doomed, id => _deleted[id] = true);
            }

            await Task.Delay(100, token);
        }
    }

    /// <summary>Waits for a training step that was not taken before.</summary>
    /// <exception cref="TimeoutException">None was taken; the text says how training stands.</exception>
    private static async Task TrainAsync(ShoalClient client, CancellationToken token)
    {
        var before = -1L;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            DatasetStatus status = await client.StatusAsync(Dataset, token);
            var steps = status.Training.Progress?.Steps ?? 0;
            before = before < 0 ? steps : before;
            if (status.Training.Activity is "training" or "rehearsing" && steps > before)
            {
                return;
            }

            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"Within {Patience.TotalSeconds} s no step was taken: {status.Training}");
            }

            await Task.Delay(50, token);
        }
    }

    /// <summary>Everything acknowledged is there once, with its bytes; what was deleted stays so; nothing went back.</summary>
    private async Task CheckAsync(ShoalClient client, CancellationToken token)
    {
        string[] sent = [.. _sent];
        ItemAnswer[] answers = await client.GetManyAsync(Dataset, sent, token);
        Dictionary<string, ItemState> states = answers.ToDictionary(answer => answer.Id, answer => answer.State, StringComparer.Ordinal);
        Lost += Told("lost", _acknowledged.Keys.Where(id => states[id] is ItemState.Unknown or ItemState.Deleted));
        Undeleted += Told("not deleted", _deleted.Keys.Where(id => states[id] != ItemState.Deleted));
        foreach (var id in _acknowledged.Keys.OrderBy(_ => _random.Next()).Take(Checked))
        {
            ItemContent? content = await client.GetContentAsync(Dataset, id, token);
            Lost += Told("of other bytes", content?.Bytes.AsSpan().SequenceEqual(Item(int.Parse(id, CultureInfo.InvariantCulture)).Bytes) == true ? [] : [id]);
        }

        DatasetStatus status = await client.StatusAsync(Dataset, token);
        var there = states.Values.Count(state => state is not (ItemState.Unknown or ItemState.Deleted));
        Doubled += Math.Max(0, status.Shards.Sum(s => s.Items) - there);
        Lost += (int)Math.Max(0, there - status.Shards.Sum(s => s.Items));
        Regressed += Told("gone back", Back(status));
        await CheckNameAsync(client, status, token);
        _version = Math.Max(_version, status.Training.Version?.Version ?? 0);
    }

    // The name of a pinned cluster is there for ever once it was given.
    private async Task CheckNameAsync(ShoalClient client, DatasetStatus status, CancellationToken token)
    {
        if (_named)
        {
            ClusterSummary[] clusters = await client.ClustersAsync(Dataset, 0, token);
            Regressed += Told("names lost", clusters.Any(c => c is { Name: Name, Pinned: true }) ? [] : [Name]);
        }
        else if (status.Training.Version is { } version)
        {
            var cluster = version.Clusters.First(c => c > 0);
            await client.PinClusterAsync(Dataset, cluster, pinned: true, token);
            await client.NameClusterAsync(Dataset, cluster, Name, token);
            _named = true;
        }
    }

    /// <summary>One of four kinds of 12 x 12 grey images, so that there is something to learn; its bytes follow from its number.</summary>
    public static ItemUpload Item(int number)
    {
        var pixels = new byte[Size * Size];
        new Random(number).NextBytes(pixels);
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)((pixels[i] / 4) + (i / (pixels.Length / 4) == number % 4 ? 180 : 0));
        }

        return new ItemUpload { Id = number.ToString(CultureInfo.InvariantCulture), MediaType = MediaTypes.RawImage, Bytes = pixels };
    }

    private IEnumerable<string> Back(DatasetStatus status)
    {
        if ((status.Training.Version?.Version ?? 0) < _version)
        {
            yield return $"version {status.Training.Version?.Version ?? 0} after {_version}";
        }

        foreach (ShardCursor cursor in status.Training.Cursors)
        {
            if (cursor.Next > status.Shards.Single(s => s.Shard == cursor.Shard).End)
            {
                yield return $"shard {cursor.Shard}: cursor {cursor.Next} past the end";
            }
        }

        foreach (ShardStatus shard in status.Shards.Where(s => s.Items != s.Assigned + s.Outliers + s.Quarantined + s.Pending || s.Problem is not null))
        {
            yield return $"shard {shard.Shard}: {shard.Items} items, {shard.Assigned} assigned, {shard.Outliers} outliers, {shard.Pending} pending {shard.Problem}";
        }
    }

    private static int Told(string what, IEnumerable<string> found)
    {
        string[] all = [.. found];
        if (all.Length > 0)
        {
            FigureWriter.Tell($"{all.Length:N0} {what}: {string.Join(", ", all.Take(5))}");
        }

        return all.Length;
    }
}
