using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Learning;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>
/// Training samples a second through silo, log, pump and commits, against the same <see cref="Learner"/> fed from
/// memory in this process; in turns ABAB, so that a noisy machine disturbs both alike.
/// </summary>
internal static class TrainSuite
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    /// <param name="path">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="seconds">Seconds of each turn.</param>
    /// <param name="turns">Turns of each side; the ratio is the median over the pairs.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string path, int seconds, int turns, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(path);
        await MachineSpeed.WriteAsync(figures);
        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["seconds"] = seconds, ["turns"] = turns };
        var folder = Directory.CreateTempSubdirectory("shoal-train-");
        try
        {
            await using SiloProcess silo = await SiloProcess.StartAsync(folder.FullName, "--log", "Warning");
            await using ShoalClient client = await silo.ConnectAsync();
            await MachineSpeed.WriteRpcAsync(figures, client);
            await client.CreateDatasetAsync("bench", data.Settings with { IdleRehearsalSteps = 0 });
            await client.PauseAsync("bench");
            var producer = new Producer(client, data);
            List<double> ratios = [];
            // The thread that a silo has, with its priority, memory settings and one team of libtorch's workers: two
            // threads that call libtorch in turn would each keep a team, and libgomp slows both.
            using var compute = new ComputeThread(new ComputeOptions(), TimeProvider.System, NullLogger<ComputeThread>.Instance);
            using BareLearner learner = await compute.RunAsync(ComputePriority.Training, data.Name, () => new BareLearner(data));
            Task<double> RunBareAsync(TimeSpan duration) => compute.RunAsync(ComputePriority.Training, data.Name, () => learner.Run(duration));

            // The JIT compiles what each side runs most while it runs: that is not counted, on either side.
            await ThroughSiloAsync(client, producer, WarmUp);
            await RunBareAsync(WarmUp);
            for (var turn = 1; turn <= turns; turn++)
            {
                var through = await ThroughSiloAsync(client, producer, TimeSpan.FromSeconds(seconds));
                figures.Write("train.silo_rate", through, "samples/s", turn, settings);
                var bare = await RunBareAsync(TimeSpan.FromSeconds(seconds));
                figures.Write("train.bare_rate", bare, "samples/s", turn, settings);
                ratios.Add(through / bare);
            }

            ratios.Sort();
            var median = (ratios[(turns - 1) / 2] + ratios[turns / 2]) / 2;
            figures.Write("train.ratio", median, "fraction", null, settings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<double> ThroughSiloAsync(ShoalClient client, Producer producer, TimeSpan duration)
    {
        await client.ResumeAsync("bench");
        static long Trained(DatasetStatus status) => status.Training.Cursors.Sum(c => c.Next);
        var before = Trained(await client.StatusAsync("bench"));
        long first;
        // A turn begins with its first step: opening and restoring are not training.
        while ((first = Trained(await producer.FeedAsync())) <= before)
        {
            await Task.Delay(200);
        }

        var clock = Stopwatch.StartNew();
        DatasetStatus status;
        do
        {
            await Task.Delay(500);
            status = await producer.FeedAsync();
        }
        while (clock.Elapsed < duration);

        var rate = (Trained(status) - first) / clock.Elapsed.TotalSeconds;
        await client.PauseAsync("bench");
        // The bare learner's turn must not share the machine with the pump.
        while ((await client.StatusAsync("bench")).Shards.Sum(s => s.Pending + s.Stale) > 0 && status.Training.Version is not null)
        {
            await Task.Delay(200);
        }

        return rate;
    }

    /// <summary>Keeps the log a little ahead of training, with the data set over and over under new ids.</summary>
    private sealed class Producer(ShoalClient client, LabelledData data)
    {
        private const int Ahead = 4_096;
        private const int Batch = 2_048;
        private long _sent;

        /// <summary>Sends a batch when training has come close to the log's end.</summary>
        public async Task<DatasetStatus> FeedAsync()
        {
            DatasetStatus status = await client.StatusAsync("bench");
            if (_sent - status.Training.Cursors.Sum(c => c.Next) < Ahead)
            {
                IEnumerable<ItemUpload> items = Enumerable.Range(0, Batch).Select(i => Next(_sent + i)).ToArray();
                await foreach (IngestResult _ in client.IngestAsync("bench", items.ToAsyncEnumerable()))
                {
                    _sent++;
                }
            }

            return status;
        }

        private ItemUpload Next(long number)
        {
            ItemUpload upload = data.Train[(int)(number % data.Train.Count)].Upload;
            return upload with { Id = $"{number}/{upload.Id}" };
        }
    }
}
