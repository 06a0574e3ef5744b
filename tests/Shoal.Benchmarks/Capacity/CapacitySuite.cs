using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>What an item, a call and a round cost: the constants of the capacity model (docs/architecture/scaling.md), from one silo in a process of its own.</summary>
internal sealed class CapacitySuite : IAsyncDisposable
{
    private const string Dataset = "scale";
    private const int Callers = 64;

    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(8);

    // In which code is compiled, and the first version is published.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly LabelledData _data;
    private readonly SiloProcess _silo;
    private readonly ShoalClient _client;
    private readonly SiloMeter _meter;
    private readonly FigureWriter _figures;
    private readonly Dictionary<string, object?> _settings;

    private CapacitySuite(LabelledData data, SiloProcess silo, ShoalClient client, StoreCounters counters, FigureWriter figures)
    {
        (_data, _silo, _client, _meter, _figures) = (data, silo, client, new SiloMeter(silo, counters), figures);
        _settings = new Dictionary<string, object?>(StringComparer.Ordinal) { ["data"] = data.Name, ["threads"] = 1, ["shards"] = data.Settings.Shards };
    }

    /// <summary>Runs it.</summary>
    /// <param name="source">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="seconds">For how long training is measured.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string source, int seconds, FigureWriter figures)
    {
        var folder = Directory.CreateTempSubdirectory("shoal-capacity-");
        try
        {
            // Before anything else is in this process's memory.
            await ItemCosts.WriteAsync(folder.FullName, figures);
            LabelledData data = await LabelledData.OpenAsync(source);
            await MachineSpeed.WriteAsync(figures);
            var settle = await LearnerCosts.WriteAsync(data, figures);
            var file = Path.Combine(folder.FullName, "counters");
            using var counters = new StoreCounters(file);
            SiloProcess silo = await CountedSilo.StartAsync(Path.Combine(folder.FullName, "silo"), file);
            await using (var suite = new CapacitySuite(data, silo, await silo.ConnectAsync(), counters, figures))
            {
                await suite.MeasureAsync(seconds, settle);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _silo.DisposeAsync();
    }

    private async Task MeasureAsync(int seconds, double settle)
    {
        await _client.CreateDatasetAsync(Dataset, _data.Settings with { IdleRehearsalSteps = 0 });
        await _client.PauseAsync(Dataset);
        Write("silo_memory_bytes", _silo.ResidentBytes, "bytes");
        // The first tenth of the items warms the silo up; then what it compiles in the background has time to end.
        var warm = _data.Train.Count / 10;
        await StoreAsync(string.Empty, 0, warm);
        await Task.Delay(IdleTime);
        SiloUse idle = await _meter.DuringAsync(() => Task.Delay(IdleTime));
        var idleCores = idle.Cpu / idle.Seconds;
        Write("idle_cores", idleCores, "cores");

        var ingest = await IngestAsync(warm, idleCores);
        var resident = _silo.ResidentBytes;
        await TrainAsync(seconds, settle);
        Write("first_seat_memory_bytes", Math.Max(0, _silo.ResidentBytes - resident), "bytes");
        await RestAsync();
        await AssignAsync(idleCores, ingest);
        await CallsAsync(idleCores);
        await PartsAsync();
    }

    private void Write(string name, double value, string unit) => _figures.Write("scale." + name, value, unit, null, _settings);

    private async Task<double> IngestAsync(int warm, double idleCores)
    {
        var count = _data.Train.Count - warm;
        SiloUse use = await _meter.DuringAsync(() => StoreAsync(string.Empty, warm, count));
        var each = use.MicrosecondsEach(count, idleCores);
        Write("ingest_cpu_us", each, "us/item");
        Write("ingest_bytes", (double)use.Calls.BytesOfLogs(StoreCall.Append) / count, "bytes/item");
        Write("ingest_items_per_append", (double)count / use.Calls.OfLogs(StoreCall.Append), "items/append");
        return each;
    }

    private async Task StoreAsync(string prefix, int first, int count)
    {
        IEnumerable<ItemUpload> uploads = Enumerable.Range(first, count).Select(i => _data.Train[i].Upload).Select(upload => upload with { Id = prefix + upload.Id });
        await foreach (IngestResult result in _client.IngestAsync(Dataset, uploads.ToAsyncEnumerable()))
        {
            if (!result.IsStored)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, $"'{result.Id}' was not stored: {result.Reason}");
            }
        }
    }

    private async Task TrainAsync(int seconds, double settle)
    {
        await _client.ResumeAsync(Dataset);
        await Task.Delay(WarmUp);
        DatasetStatus before = await _client.StatusAsync(Dataset);
        DatasetStatus after = before;
        SiloUse use = await _meter.DuringAsync(async () =>
        {
            // Until a round has ended that lies in it whole, or there is nothing more to train on.
            var until = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(until).TotalSeconds < seconds && Trained(after) < _data.Train.Count * 0.95)
            {
                await Task.Delay(500);
                after = await _client.StatusAsync(Dataset);
            }
        });
        var samples = Trained(after) - Trained(before);
        var rounds = after.Training.Round - before.Training.Round;
        if (samples < 1_000 || rounds < 1)
        {
            throw new ShoalException(
                ShoalErrorKind.Invalid, $"{samples:N0} samples and {rounds} rounds were measured after {WarmUp.TotalSeconds} s of warming up; give more items (--data) or more time (--seconds).");
        }

        Write("train_rate", samples / use.Seconds, "samples/s");
        // What ends of rounds cost is a figure of its own.
        Write("train_cpu_us", Math.Max(0, use.Compute - (rounds * settle)) / samples * 1e6, "us/sample");
        Write("train_other_cpu_us", (use.Cpu - use.Compute) / samples * 1e6, "us/sample");
        Write("train_store_reads", (double)use.Calls.OfLogs(StoreCall.Read) / samples, "reads/sample");
        Write("round_seconds", use.Seconds / rounds, "s");
        long puts = use.Calls.OfOthers(StoreCall.Put), deletes = use.Calls.OfOthers(StoreCall.Delete);
        Write("round_store_puts", (double)puts / rounds, "puts/round");
        Write("round_store_deletes", (double)deletes / rounds, "deletes/round");
        Write("round_store_bytes", (double)use.Calls.BytesOfOthers(StoreCall.Put) / rounds, "bytes/round");
    }

    private static long Trained(DatasetStatus status) => status.Training.Cursors.Sum(cursor => cursor.Next);

    // Until a version is there, training is paused, and every item is assigned by that version.
    private async Task RestAsync()
    {
        await UntilAsync("a version is published", status => status.Training.Version is not null);
        await _client.PauseAsync(Dataset);
        await UntilAssignedAsync();
    }

    private Task UntilAssignedAsync() => UntilAsync("every item is assigned", status => status.Shards.Sum(s => s.Pending + s.Stale) == 0);

    private async Task UntilAsync(string what, Func<DatasetStatus, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds(await _client.StatusAsync(Dataset, limit.Token)))
        {
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"Waiting until {what}: not within {Patience.TotalMinutes} minutes.");
            }

            await Task.Delay(200, CancellationToken.None);
        }
    }

    private async Task AssignAsync(double idleCores, double ingest)
    {
        var count = _data.Train.Count / 2;
        SiloUse use = await _meter.DuringAsync(async () =>
        {
            await StoreAsync("again/", 0, count);
            await UntilAssignedAsync();
        });
        Write("assign_cpu_us", Math.Max(0, use.MicrosecondsEach(count, idleCores) - ingest), "us/item");
        Write("assign_store_reads", (double)use.Calls.OfLogs(StoreCall.Read) / count, "reads/item");
    }

    private async Task CallsAsync(double idleCores)
    {
        ICatalogGrain catalog = _client.Cluster.GetGrain<ICatalogGrain>(GrainKeys.Catalog);
        Write("grain_call_cpu_us", await CallAsync(async () => _ = await catalog.ListAsync(), Callers, idleCores), "us/call");
        var random = new Random(1);
        Write("query_cpu_us", await CallAsync(async () => _ = await _client.GetAsync(Dataset, Any(random)), Callers, idleCores), "us/query");

        // Items as training reads them: from the log, checked, and sent.
        IShardGrain shard = _client.Cluster.GetGrain<IShardGrain>(GrainKeys.Shard(Dataset, 0));
        long read = 0;
        SiloUse use = await _meter.DuringAsync(() => MeasuredAsync(async () =>
        {
            LogSlice slice = await shard.ReadAsync(0, 1_024, 4 << 20);
            Interlocked.Add(ref read, slice.Items.Sum(item => (long)item.Bytes.Length));
        }));
        Write("read_cpu_us_per_mb", use.MicrosecondsEach(read / 1e6, idleCores), "us/MB");
    }

    private string Any(Random random)
    {
        lock (random)
        {
            return _data.Train[random.Next(_data.Train.Count)].Upload.Id;
        }
    }

    private static Task<double> MeasuredAsync(Func<Task> call) => MachineSpeed.RateAsync(call, 4, CallTime);

    private async Task<double> CallAsync(Func<Task> call, int callers, double idleCores)
    {
        await MachineSpeed.RateAsync(call, callers, CallTime / 4);
        long calls = 0;
        SiloUse use = await _meter.DuringAsync(() => MachineSpeed.RateAsync(
            async () =>
            {
                await call();
                Interlocked.Increment(ref calls);
            },
            callers,
            CallTime));
        return use.MicrosecondsEach(calls, idleCores);
    }

    // The parts of the last checkpoint, as they lie in the store.
    private async Task PartsAsync()
    {
        using var store = new FileObjectStore(Path.Combine(_silo.Data, "store"));
        var parts = new Dictionary<string, long>(StringComparer.Ordinal);
        await foreach (ObjectInfo info in store.ListAsync($"datasets/{Dataset}/model/"))
        {
            // Names are in order, so the newest of each stays.
            parts[Path.GetFileNameWithoutExtension(info.Name)] = info.Length;
        }

        foreach (var part in new[] { "model", "optimizer", "replay", "progress", "candidate", "bank", "manifest" })
        {
            Write(part + "_bytes", parts.GetValueOrDefault(part), "bytes");
        }
    }
}
