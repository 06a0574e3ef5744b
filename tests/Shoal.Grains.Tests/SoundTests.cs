using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Recordings of tones and noise in a real silo: what they are is told window by window.</summary>
[Collection("silo")]
public sealed class SoundTests
{
    private const int Rate = 8_000;

    // A hum, a high tone, clicks, and noise.
    private static readonly Func<Random, double, double>[] Kinds =
    [
        static (_, t) => Math.Sin(2 * Math.PI * 200 * t),
        static (_, t) => Math.Sin(2 * Math.PI * 3_000 * t),
        static (_, t) => t % 0.1 < 0.001 ? 1 : 0,
        static (random, _) => (2 * random.NextDouble()) - 1,
    ];

    [Fact]
    public async Task Recordings_are_cut_learned_and_answered_as_a_timeline_and_silence_is_quarantined()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("sound", new DatasetSettings
        {
            Modality = DatasetSettings.Sound,
            Height = 16,
            Width = 16,
            Channels = 1,
            SampleRate = Rate,
            WindowSeconds = 0.5,
            HopSeconds = 0.5,
            Clusters = 4,
            Shards = 4,
            RoundSeconds = 1,
            IdleRehearsalSteps = 20,
        });
        for (var i = 0; i < 40; i++)
        {
            // Each kind for 12 windows, in an order of its own.
            var random = new Random(i);
            int[] order = [0, 1, 2, 3];
            random.Shuffle(order);
            byte[] wav = Recordings.Wav(Rate, [.. order.SelectMany(kind => Values(random, kind, seconds: 6))]);
            await foreach (IngestResult result in client.IngestRecordingAsync("sound", new ItemUpload { Id = $"take/{i}", MediaType = "audio/wav", Bytes = wav }))
            {
                Assert.True(result.Outcome == IngestOutcome.Accepted, result.Reason);
            }
        }

        byte[] quiet = Recordings.Tones(Rate, (900, 1), (0, 1));
        Assert.Equal(4, await client.IngestRecordingAsync("sound", new ItemUpload { Id = "quiet", MediaType = "audio/wav", Bytes = quiet }).CountAsync());
        await Waiting.UntilAsync(client, silo, "clusters of the four kinds", s => s.Training.Version?.Clusters.Length == 4 && s.Training.Activity is "idle" && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "sound");

        // A recording that it has not heard: each kind for two seconds.
        var unheard = new Random(99);
        byte[] news = Recordings.Wav(Rate, [.. Enumerable.Range(0, 4).SelectMany(kind => Values(unheard, kind, seconds: 2))]);
        Assert.Equal(16, await client.IngestRecordingAsync("sound", new ItemUpload { Id = "news", MediaType = "audio/wav", Bytes = news }).CountAsync());
        await Waiting.UntilAsync(client, silo, "the news to be assigned", s => s.Shards.Sum(x => x.Pending) == 0, "sound");
        RecordingAnswer timeline = await client.RecordingAsync("sound", "news");
        long[] heard = [.. timeline.Windows.Select(window => window.Item.Cluster ?? 0)];
        long[] kinds = [.. heard.Chunk(4).Select(four => four.CountBy(cluster => cluster).MaxBy(cluster => cluster.Value).Key)];
        // Chance puts half of them where most of their kind are.
        Assert.True(heard.Where((cluster, i) => cluster == kinds[i / 4]).Count() >= 13 && kinds.Distinct().Count() >= 3, string.Join(' ', heard));

        ItemState[] states = [.. (await client.RecordingAsync("sound", "quiet")).Windows.Select(window => window.Item.State)];
        Assert.Equal([ItemState.Quarantined, ItemState.Quarantined], states[2..]);
        Assert.Contains("-60 dB", (await client.GetAsync("sound", "quiet@1000")).Reason, StringComparison.Ordinal);

        // A whole recording is no item, and says what to do.
        IngestResult whole = await client.PutAsync("sound", new ItemUpload { Id = "whole", MediaType = "audio/wav", Bytes = news });
        Assert.Equal(IngestOutcome.Rejected, whole.Outcome);
        Assert.Contains("ingested as recordings", whole.Reason, StringComparison.Ordinal);
    }

    private static IEnumerable<double> Values(Random random, int kind, double seconds)
    {
        var loudness = 0.1 + (0.5 * random.NextDouble());
        return Enumerable.Range(0, (int)(seconds * Rate)).Select(i => (loudness * Kinds[kind](random, i / (double)Rate)) + (0.01 * random.NextDouble()));
    }
}
