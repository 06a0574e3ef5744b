using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Shoal.Client;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>Training by two silos with a core each against one silo with one core, over the same items; what it costs beside the steps, and what travels.</summary>
internal static partial class ScaleSuite
{
    private const string Dataset = "scale";
    private const int MostSilos = 2;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Runs it.</summary>
    /// <param name="source">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
    /// <param name="turns">Turns of each side.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string source, int turns, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(source);
        await MachineSpeed.WriteAsync(figures);
        var rates = new List<double>[MostSilos + 1];
        for (var turn = 0; turn < turns; turn++)
        {
            for (var silos = 1; silos <= MostSilos; silos++)
            {
                Turn taken = null!;
                await ClusterBench.RunAsync(silos, pinned: true, async (cluster, client) => taken = await RunAsync(data, cluster, client));
                (rates[silos] ??= []).Add(taken.Rate);
                Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["data"] = data.Name, ["silos"] = silos, ["turn"] = turn };
                figures.Write("scale.samples_per_second", taken.Rate, "1/s", null, settings);
                figures.Write("scale.overhead", taken.Overhead, "fraction", null, settings);
                figures.Write("scale.compiling", taken.Compiling, "fraction", null, settings);
                figures.Write("scale.bytes_per_sample", taken.BytesASample, "bytes", null, settings);
            }
        }

        figures.Write("scale.speedup", Percentiles.Median(rates[MostSilos]) / Percentiles.Median(rates[1]), "ratio", null, new Dictionary<string, object?>(StringComparer.Ordinal) { ["data"] = data.Name, ["turns"] = turns });
    }

    private static async Task<Turn> RunAsync(LabelledData data, SiloCluster cluster, ShoalClient client)
    {
        await client.CreateDatasetAsync(Dataset, data.Settings with { IdleRehearsalSteps = 0 });
        await client.PauseAsync(Dataset);
        await foreach (IngestResult _ in client.IngestAsync(Dataset, data.Train.Select(item => item.Upload).ToAsyncEnumerable()))
        {
            // All of it is there before training begins: no seat waits for samples.
        }

        // At first code is compiled, and compiled better, and the first versions are published, whatever the number of silos.
        await client.ResumeAsync(Dataset);
        await Task.Delay(WarmUp);
        var first = await WaitAsync(client, 1);
        if (first > data.Train.Count * 0.8)
        {
            throw new InvalidOperationException($"{data.Train.Count:N0} items are too few: {first:N0} of them were trained on while it warmed up.");
        }

        SiloCpu before = Cpu(cluster);
        var compiler = new CompilerClock();
        void Compiling() => compiler.Read(cluster.Silos.Select(silo => silo.Id));
        Compiling();
        var sent = await SentAsync(cluster);
        var clock = Stopwatch.StartNew();
        var samples = await WaitAsync(client, data.Train.Count, Compiling) - first;
        var seconds = clock.Elapsed.TotalSeconds;
        SiloCpu used = Cpu(cluster) - before;
        return new Turn(samples / seconds, 1 - (used.Compute / (used.All - compiler.Seconds)), compiler.Seconds / used.All, (await SentAsync(cluster) - sent) / samples);
    }

    private static SiloCpu Cpu(SiloCluster cluster) => cluster.Silos.Select(silo => SiloCpu.Of(silo.Id)).Aggregate((one, other) => one + other);

    private static async Task<long> WaitAsync(ShoalClient client, int items, Action? meanwhile = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var trained = (await client.StatusAsync(Dataset)).Training.Cursors.Sum(cursor => cursor.Next);
            if (trained >= items)
            {
                return trained;
            }

            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"Within {Patience.TotalMinutes} minutes not every item was trained on.");
            }

            meanwhile?.Invoke();
            await Task.Delay(500);
        }
    }

    // Bytes that silos sent over TCP connections that are open, and wrote to the store, where other silos read them.
    private static async Task<double> SentAsync(SiloCluster cluster)
    {
        using Process ss = Programs.Start("iproute2", "ss", "--tcp", "--info", "--no-header", "--numeric", "--processes");
        var lines = (await ss.StandardOutput.ReadToEndAsync()).Split('\n');
        await ss.WaitForExitAsync();
        var sent = 0.0;
        for (var i = 0; i + 1 < lines.Length; i++)
        {
            if (cluster.Silos.Any(silo => lines[i].Contains($"pid={silo.Id},", StringComparison.Ordinal)) && BytesSent().Match(lines[i + 1]) is { Success: true } bytes)
            {
                sent += double.Parse(bytes.Groups["bytes"].ValueSpan, CultureInfo.InvariantCulture);
            }
        }

        return sent + cluster.Silos.Sum(silo => Written(silo.Id));
    }

    private static double Written(int process) =>
        double.Parse(File.ReadLines($"/proc/{process}/io").First(line => line.StartsWith("wchar:", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\bbytes_sent:(?<bytes>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex BytesSent();

    /// <summary>What a turn came to.</summary>
    /// <param name="Rate">Samples trained a second.</param>
    /// <param name="Overhead">The share of grains, messages and storage in the processor time, without that of compiling.</param>
    /// <param name="Compiling">The share of the runtime's compiler in the processor time: it goes on after the warm-up, for minutes.</param>
    /// <param name="BytesASample">Bytes sent and written for each sample.</param>
    private sealed record Turn(double Rate, double Overhead, double Compiling, double BytesASample);
}
